//! `completions` and `man`: made from what can be typed.

use clap::CommandFactory as _;

use super::{
    args::{Args, Completions, Man},
    error::CliError,
    print,
};

pub(super) fn completions(args: &Completions) -> Result<u8, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "callboard", &mut script);
    print::raw(&String::from_utf8_lossy(&script));
    Ok(0)
}

pub(super) fn man(args: &Man) -> Result<u8, CliError> {
    let mut command = Args::command();
    command.build();
    let mut found = &command;
    for word in &args.command {
        found = found.find_subcommand(word).ok_or_else(|| {
            let known: Vec<&str> = found.get_subcommands().map(clap::Command::get_name).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            CliError::Usage(format!("{} has no command {word:?}; there are: {known}", found.get_name()))
        })?;
    }
    let mut page = Vec::new();
    let source = concat!("callboard ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(found.clone()).source(source).manual("callboard").render(&mut page)?;
    print::raw(&String::from_utf8_lossy(&page));
    Ok(0)
}
