//! The fake model, to be tried by hand: `cargo run --example model -- RULES.json [PORT]`. The file has an array of rules:
//!
//! ```json
//! [{"when": ["a.txt"], "turns": [[{"write": {"path": "a.txt", "content": "one\n"}}], [{"say": "Written."}]]}]
//! ```
//!
//! Every request is shown by what was said last in its conversation.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    dead_code,
    unreachable_pub,
    missing_docs,
    unused_imports,
    reason = "a tool of the tests: it stops at the first surprise, and shares its code with them"
)]

#[path = "server/mod.rs"]
mod server;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let rules = arguments.next().map_or_else(Vec::new, |file| {
        let text = std::fs::read_to_string(file).expect("a file with rules");
        serde_json::from_str(&text).expect("an array of rules")
    });
    let port = arguments.next().map_or(0, |port| port.parse().expect("a port"));
    let model = server::Model::at(port, rules);
    println!("http://127.0.0.1:{}", model.port());
    let mut seen = 0;
    loop {
        let mut news = Vec::new();
        model.wait_for_ever(|asked| {
            news = asked[seen..].to_vec();
            !news.is_empty()
        });
        for asked in &news {
            println!(
                "{} with {} tools after {} turns: {:?}",
                asked.path,
                asked.tools.len(),
                asked.turns(),
                asked.said.last()
            );
            if std::env::var_os("WHOLE").is_some() {
                println!("{:#}", asked.body);
            }
        }
        seen += news.len();
    }
}
