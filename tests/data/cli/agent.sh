name=$(echo "$CALLBOARD_COMPONENT" | tr A-Z a-z)
cat > /dev/null
mkdir -p src tests
case $CALLBOARD_STEP in
generate_tests_and_fixtures) printf 'adds\ntaxes\n' > "tests/$name.txt"; echo "wrote tests" ;;
generate_implementation) echo adds > "src/$name.txt" ;;
fix_test_failures) printf 'adds\ntaxes\n' > "src/$name.txt" ;;
*) echo "fix $CALLBOARD_STEP" >> "tests/$name.txt" ;;
esac
