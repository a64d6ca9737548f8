//! What is wrong is said with its line and with what to try.

use callboard::project::{Project, Settings};
use camino::Utf8Path;

use super::{folder, minimal};

/// Blocks of what follows the smallest configuration and of what is said about it.
const MISTAKES: &str = include_str!("../../data/project/mistakes.txt");

fn said(text: &str) -> String {
    Project::parse(Utf8Path::new("/p"), text).expect_err(text).to_string()
}

#[test]
fn mistakes() {
    let blocks: Vec<&str> = MISTAKES.split("\n\n").skip(1).collect();
    assert!(blocks.len() > 70, "{}", blocks.len());
    for block in blocks {
        let (expected, text): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with(['!', '?']));
        let said = said(&minimal(&format!("{}\n", text.join("\n"))));
        let said = said.lines().map(|line| match line.strip_prefix("hint: ") {
            Some(hint) => format!("? {hint}"),
            None => format!("! {}", line.trim_start_matches("callboard.toml:")),
        });
        assert_eq!(said.collect::<Vec<_>>(), expected, "\n{block}");
    }
}

#[test]
fn projects() {
    let hint = "\nhint: begin with [project], name = \"…\" and tests = \"cargo\"; `callboard init` writes it";
    assert_eq!(said(""), format!("callboard.toml:1:1: there is no [project]{hint}"));
    let bare = "[project]\n[worktree]\n";
    assert_eq!(
        said(bare),
        "callboard.toml:1:1: [project] has no `name`\nhint: give it a name: name = \"shop\"\n\
         callboard.toml:1:1: [project] has no `tests`\n\
         hint: say how the tests are run: tests = \"cargo\", or \"custom\" with a [runner]"
    );
}

#[test]
fn runners() {
    let first = |tests: &str, rest: &str| {
        let text = format!("[project]\nname = \"p\"\ntests = {tests}\n{rest}");
        said(&text).lines().take(2).map(str::to_owned).collect::<Vec<_>>().join(" | ")
    };
    let custom = |rest: &str| first("\"custom\"", rest);
    for (said, expected) in [
        (first("\"crago\"", ""), "3:9: unknown runner \"crago\" | hint: did you mean `cargo`?"),
        (
            first("\"pytest\"", ""),
            "3:9: unknown runner \"pytest\" | hint: \"cargo\", or \"custom\" with a [runner] for any command that writes JUnit XML",
        ),
        (
            custom(""),
            "3:9: tests = \"custom\" needs a [runner] | hint: add [runner] with `files` and `suite`, the commands for some test \
             files and for all of them",
        ),
        (
            custom("[runner]\nfiles = [\"t\", \"{file}\", \"{report}\"]\n"),
            "4:1: [runner] has no `suite` | hint: the command for all tests: suite = [\"pytest\", \"--junitxml={report}\"]",
        ),
        (
            custom("[runner]\nsuite = [\"t\", \"{report}\"]\n"),
            "4:1: [runner] has no `files` | hint: the command for some test files: files = [\"pytest\", \
             \"--junitxml={report}\", \"{file}\"]",
        ),
        (
            custom("[runner]\nfiles = [\"t\"]\nsuite = [\"t\"]\nreport = \"r.xml\"\n"),
            "5:1: `files` does not say where the test files go | hint: put \"{file}\" where the test files go: [\"t\", \"{file}\"]",
        ),
        (
            custom("[runner]\nfiles = [\"t\", \"{file}\"]\nsuite = [\"t\", \"{file}\"]\nreport = \"r.xml\"\n"),
            "6:1: `suite` has no test file to put for {file} | hint: leave \"{file}\" out: `suite` runs all tests",
        ),
        (
            custom("[runner]\nfiles = [\"t\", \"{file}\", \"{report}\"]\nsuite = [\"t\"]\n"),
            "6:1: `suite` does not say where the report goes | hint: put {report} where its JUnit file is named, or say where \
             it writes one: report = \"build/junit.xml\"",
        ),
        (
            custom("[runner]\nfiles = [\"t\", \"{file}\"]\nsuite = [\"t\"]\nreport = \"/tmp/r.xml\"\n"),
            "7:10: an absolute path leaves the project: \"/tmp/r.xml\" | hint: write it relative to the folder of callboard.toml",
        ),
    ] {
        assert_eq!(said, format!("callboard.toml:{expected}"));
    }
}

#[test]
fn story_files() {
    let said = |story: &str| {
        let text = minimal("stories = \"s\"\n[[context]]\nname = \"A\"\n[[story]]\ntitle = \"Old\"\ncontext = \"A\"\n");
        let (_dir, root) = folder(&[("callboard.toml", &text), ("s/one.md", story)]);
        Project::load(&root).expect_err(story).to_string().replace("\nhint: ", " | ")
    };
    const BEGIN: &str = "begin the file with a line `---`, then `context: NAME` or `component: NAME`, then `---`";
    for (story, expected) in [
        ("", format!("1: does not say what the story is about | {BEGIN}")),
        ("# T\n- AC-1: x\n", format!("1: does not say what the story is about | {BEGIN}")),
        ("---\ncontext: A\n# T\n", format!("1: the front matter has no end | {BEGIN}")),
        ("---\n---\n# T\n", format!("1: does not say what the story is about | {BEGIN}")),
        ("---\ncontxt: A\n---\n", "2: unknown key \"contxt\" in the front matter | did you mean `context`?".into()),
        ("---\ncontext: A\ncomponent: B\n---\n", "3: a story is about one context or one component | keep one of the lines".into()),
        ("---\ncontext: A\n---\n- AC-1: x\n", "1: the story has no title | add a line like `# A customer sees the total`".into()),
        (
            "---\ncontext: A\n---\n# T\n- one\n",
            "4: the story has no acceptance criteria | add them as a list, each with its id: `- AC-1: Prices add up with tax`".into(),
        ),
        ("---\ncontext: A\n---\n# T\n- AC-1:\n", "5: AC-1 does not say what must hold | say it after the colon: `- AC-1: …`".into()),
        ("---\ncontext: B\n---\n# T\n- AC-1: x\n", "2: a story of \"B\", which is no context | contexts: A".into()),
        (
            "---\ncontext: A\n---\n# Old\n- AC-1: x\n",
            "4: a second story called \"Old\"; the first is on line 8 | titles of stories are unique in the project: choose another".into(),
        ),
        (
            "---\ncontext: A\n---\n# T\n- AC-1: x\n- AC-1: y\n",
            "6: AC-1 is taken by AC-1 on s/one.md:5 | ids of criteria are unique in the project, whatever their case".into(),
        ),
    ] {
        assert_eq!(said(story), format!("s/one.md:{expected}"), "{story}");
    }
    let (_dir, root) = folder(&[("callboard.toml", &minimal("stories = \"s\"\n"))]);
    let error = Project::load(&root).unwrap_err().to_string();
    assert!(error.starts_with("callboard.toml:4:11: the folder s cannot be read: "), "{error}");
}

#[test]
fn files_that_are_no_text() {
    let (_dir, root) = folder(&[]);
    let loading = |bytes: &[u8]| {
        std::fs::write(root.join("callboard.toml"), bytes).unwrap();
        Project::load(&root).unwrap_err().to_string()
    };
    assert_eq!(loading(b"# a\nb\xff"), "callboard.toml:2:2: is not UTF-8 text\nhint: save the file as UTF-8");
    let large = "callboard.toml: is larger than 1 MiB\nhint: no file of this kind needs so much: shorten it";
    assert_eq!(loading(&vec![b'#'; (1 << 20) + 1]), large);
    assert_eq!(said(&"#".repeat((1 << 20) + 1)), large);
}

#[test]
fn settings_are_as_strict() {
    let said = |text: &str| Settings::parse(Utf8Path::new("/home/u/config.toml"), text).unwrap_err().to_string();
    assert_eq!(
        said("acount = \"x\"\n"),
        "/home/u/config.toml:1:1: unknown key \"acount\" in the settings\nhint: did you mean `account`?"
    );
    assert!(
        said("[limits]\nagents = 0\n").starts_with("/home/u/config.toml:2:10: `agents` must be between 1 and 1000")
    );
    assert!(said("account = \"\"\n").starts_with("/home/u/config.toml:1:11: a name must not be empty"));
    let rule = "[[permission]]\nproject = \"shop\"\ntool = \"Bash\"\nallow = true\n";
    assert!(said(rule).starts_with("/home/u/config.toml:2:11: \"shop\" is no absolute path"), "{}", said(rule));
    assert!(said("agent = \"who\"\n").starts_with("/home/u/config.toml:1:9: unknown agent \"who\""));
}

/// A file that somebody made to keep callboard busy is refused (or read) within the time of any other.
#[test]
fn large_nonsense_is_answered() {
    let many = |line: &dyn Fn(usize) -> String| minimal(&(0..20_000).map(line).collect::<String>());
    let texts = [
        many(&|n| format!("[[context]]\nname = \"C{n}\"\ndepends_on = [\"X{n}\"]\n")),
        many(&|n| format!("[[context]]\nname = \"C{n}\"\ndepends_on = [\"C{}\"]\n", (n + 1) % 20_000)),
        many(&|_| "[[context]]\nname = \"C\"\n".to_owned()),
        many(&|n| format!("x{n} = 1\n")),
        minimal(&format!("x = {}", "[".repeat(100_000))),
        minimal(&format!("{}x = 1", "a.".repeat(100_000))),
        minimal(&format!("x = \"{}", "\\".repeat(100_000))),
    ];
    for text in texts {
        let error = Project::parse(Utf8Path::new("/p"), &text).unwrap_err();
        assert!((1..=50).contains(&error.problems.len()));
        assert!(error.problems.iter().all(|problem| problem.line.is_some() && !problem.hint.is_empty()));
        assert!(error.to_string().len() < 100_000);
    }
}
