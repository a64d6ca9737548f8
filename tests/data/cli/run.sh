# Writes a JUnit report: each line of a test file is a test, which passes if the code file of that name has the same line.
report=$1; shift
{
echo '<testsuite>'
for file in "$@"; do
    [ -e "$file" ] || continue
    name=$(basename "$file" .txt)
    while read -r test; do
        if grep -qx "$test" "src/$name.txt" 2>/dev/null; then
            echo "<testcase name=\"$test\" file=\"$file\"/>"
        else
            echo "<testcase name=\"$test\" file=\"$file\"><failure message=\"$test is not there\"/></testcase>"; bad=1
        fi
    done < "$file"
done
echo '</testsuite>'
} > "$report"
exit ${bad:-0}
dirty
