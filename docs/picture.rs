//! Draws `docs/board.svg`: the real program plays its demo in a terminal of its own, somebody goes to a session whose tests
//! fail, and what the screen shows then is written as a picture. `docs/picture` runs it.

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    io::{Read as _, Write as _},
    path::PathBuf,
    process,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

use portable_pty::{Child, CommandBuilder, PtySize, native_pty_system};
use vt100::{Color, Parser, Screen};

type Outcome<T> = Result<T, Box<dyn Error>>;

const SIZE: PtySize = PtySize { rows: 30, cols: 110, pixel_width: 0, pixel_height: 0 };
/// The session that is looked at: the demo's agent needs three attempts at its code.
const SUBJECT: &str = "Shipping";
/// Longer than any part of the demo takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(90);
/// The screen is whole when nothing came for so long.
const QUIET: Duration = Duration::from_millis(15);

fn main() -> Outcome<()> {
    let mut args = env::args_os().skip(1).map(PathBuf::from);
    let (Some(program), Some(picture)) = (args.next(), args.next()) else {
        return Err("expected the program and the picture's path".into());
    };
    let folder = env::temp_dir().join(format!("callboard-picture-{}", process::id()));
    fs::create_dir_all(&folder)?;
    let drawn = Terminal::open(&program, &folder).and_then(|mut terminal| {
        let svg = terminal.play();
        terminal.leave()?;
        svg
    });
    fs::remove_dir_all(&folder)?;
    fs::write(&picture, drawn?)?;
    Ok(())
}

/// The demo in a terminal that nobody sees.
struct Terminal {
    parser: Parser,
    output: Receiver<Vec<u8>>,
    keyboard: Box<dyn std::io::Write + Send>,
    child: Box<dyn Child + Send + Sync>,
}

impl Terminal {
    fn open(program: &std::path::Path, folder: &std::path::Path) -> Outcome<Self> {
        let pty = native_pty_system().openpty(SIZE)?;
        let mut command = CommandBuilder::new(fs::canonicalize(program)?);
        command.args(["demo", "demo"]);
        command.cwd(folder);
        command.env("TERM", "xterm-256color");
        command.env_remove("NO_COLOR");
        let child = pty.slave.spawn_command(command)?;
        let mut reader = pty.master.try_clone_reader()?;
        let keyboard = pty.master.take_writer()?;
        let (bytes, output) = channel();
        thread::spawn(move || {
            let _master = pty.master;
            let mut buffer = [0; 8192];
            while let Ok(read @ 1..) = reader.read(&mut buffer) {
                if bytes.send(buffer[..read].to_vec()).is_err() {
                    break;
                }
            }
        });
        let parser = Parser::new(SIZE.rows, SIZE.cols, 0);
        Ok(Self { parser, output, keyboard, child })
    }

    fn play(&mut self) -> Outcome<String> {
        self.wait_for("the coding session and its children", |rows| {
            let coding = rows.iter().position(|row| row.contains("Orders") && row.contains("coding"));
            coding.is_some_and(|at| rows.get(at + 3).is_some_and(|row| row.contains(SUBJECT)))
        })?;
        self.press("gjjj3")?;
        self.wait_for("a failing test while others are at work", |rows| {
            let (tree, session) = halves(rows);
            let at_work = tree.iter().filter(|row| row.contains('●')).count();
            let all = ["Shipping  code · fix_test_failures", "still failing", "Fixed"]
                .iter()
                .all(|text| session.contains(text));
            all && at_work > 1
        })?;
        Ok(picture(self.parser.screen()))
    }

    /// Reads until a whole screen fits.
    fn wait_for(&mut self, what: &str, fits: impl Fn(&[String]) -> bool) -> Outcome<()> {
        let until = Instant::now() + LIMIT;
        loop {
            match self.output.recv_timeout(QUIET) {
                Ok(bytes) => self.parser.process(&bytes),
                Err(RecvTimeoutError::Timeout) => {
                    let screen = self.parser.screen();
                    if fits(&screen.rows(0, SIZE.cols).collect::<Vec<_>>()) {
                        return Ok(());
                    }
                    if Instant::now() > until {
                        return Err(format!("never saw {what}; the screen is\n{}", screen.contents()).into());
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(format!("ended before {what}").into()),
            }
        }
    }

    fn press(&mut self, keys: &str) -> Outcome<()> {
        self.keyboard.write_all(keys.as_bytes())?;
        Ok(self.keyboard.flush()?)
    }

    /// Lets the demo end, so that nothing works on in a folder that is about to go.
    fn leave(&mut self) -> Outcome<()> {
        let ended = self.wait_for("the end of the demo", |rows| rows.iter().any(|row| row.contains("0 active")));
        self.press("q")?;
        while self.output.recv().is_ok() {}
        self.child.wait()?;
        ended
    }
}

/// What is left and right of the line between tree and session.
fn halves(rows: &[String]) -> (Vec<&str>, String) {
    let split = rows.iter().filter_map(|row| row.split_once('│'));
    let (tree, session): (Vec<&str>, Vec<&str>) = split.unzip();
    (tree, session.join("\n"))
}

const CELL: (f64, f64) = (8.43, 18.0);
const MARGIN: f64 = 14.0;
const TITLE: f64 = 34.0;
/// Drawn as shapes, since a font's own leave gaps between the rows: the text, where it begins in its cell, how wide it is.
const SHAPES: [(&str, f64, f64); 2] = [("│", 0.5, 0.12), ("▌", 0.0, 0.5)];
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d5d8de";
const PALETTE: [&str; 16] = [
    "#16181d", "#f2777a", "#8cc570", "#e5c07b", "#6cb0f5", "#c792ea", "#56c8d8", "#d5d8de", "#7d8590", "#ff8b8e",
    "#a5d88a", "#f0d399", "#8cc4ff", "#d7aef5", "#7edce8", "#ffffff",
];

/// How a run of cells looks.
#[derive(Clone, PartialEq)]
struct Look {
    front: String,
    back: String,
    bold: bool,
    italic: bool,
    underlined: bool,
}

/// The screen as SVG, on a background of its own so that it can be read on a light page and on a dark one.
fn picture(screen: &Screen) -> String {
    let (rows, cols) = screen.size();
    let (wide, high) = (f64::from(cols) * CELL.0 + 2.0 * MARGIN, f64::from(rows) * CELL.1 + TITLE + MARGIN);
    let mut shapes = String::new();
    for row in 0..rows {
        let y = TITLE + f64::from(row) * CELL.1;
        let looks: Vec<Look> = (0..cols).filter_map(|column| screen.cell(row, column)).map(look).collect();
        let mut column = 0.0;
        for same in looks.chunk_by(|one, next| one.back == next.back) {
            let long = f64::from(u16::try_from(same.len()).unwrap_or(cols)) * CELL.0;
            if let Some(back) = same.first().map(|look| &look.back).filter(|back| *back != BACKGROUND) {
                let x = MARGIN + column;
                add(
                    &mut shapes,
                    &format!(r#"<rect x="{x:.2}" y="{y:.1}" width="{long:.2}" height="{}" fill="{back}"/>"#, CELL.1),
                );
            }
            column += long;
        }
        for (column, length, look, text) in runs(screen, row, cols) {
            let (x, long) = (MARGIN + f64::from(column) * CELL.0, f64::from(length) * CELL.0);
            if let Some((_, from, share)) = SHAPES.iter().find(|(shape, ..)| *shape == text) {
                let (x, wide, fill) = (x + from * CELL.0, share * CELL.0, &look.front);
                add(
                    &mut shapes,
                    &format!(r#"<rect x="{x:.2}" y="{y:.1}" width="{wide:.2}" height="{}" fill="{fill}"/>"#, CELL.1),
                );
            } else if !text.trim().is_empty() {
                let weight = if look.bold { r#" font-weight="bold""# } else { "" };
                let slant = if look.italic { r#" font-style="italic""# } else { "" };
                let line = if look.underlined { r#" text-decoration="underline""# } else { "" };
                let (base, fill, text) = (y + 13.5, &look.front, escaped(&text));
                add(
                    &mut shapes,
                    &format!(
                        r#"<text x="{x:.2}" y="{base:.1}" fill="{fill}" textLength="{long:.2}"{weight}{slant}{line}>{text}</text>"#
                    ),
                );
            }
        }
    }
    format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0} {high:.0}" width="{wide:.0}" height="{high:.0}" role="img" aria-label="The board: a context session, its children at work, and the failing test of one of them">
<!-- Written by docs/picture from the real program. -->
<rect width="{wide:.0}" height="{high:.0}" rx="9" fill="{BACKGROUND}"/>
<rect x="0.5" y="0.5" width="{:.0}" height="{:.0}" rx="8.5" fill="none" stroke="#3b4048"/>
<circle cx="20" cy="17" r="5.5" fill="#f2777a"/><circle cx="39" cy="17" r="5.5" fill="#e5c07b"/><circle cx="58" cy="17" r="5.5" fill="#8cc570"/>
<g font-family="ui-monospace, 'JetBrains Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14" xml:space="preserve">
{shapes}</g>
</svg>
"##,
        wide - 1.0,
        high - 1.0
    )
}

fn add(shapes: &mut String, line: &str) {
    // Writing into a String cannot fail.
    writeln!(shapes, "{line}").unwrap_or_default();
}

/// A row's runs of cells that look alike: column, length, look, text. Words and gaps are runs of
/// their own, so that what stands in columns stays in them whatever the font.
fn runs(screen: &Screen, row: u16, cols: u16) -> Vec<(u16, u16, Look, String)> {
    let mut runs: Vec<(u16, u16, Look, String)> = Vec::new();
    for column in 0..cols {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let text = if cell.has_contents() { cell.contents() } else { " " };
        let wide = if cell.is_wide() { 2 } else { 1 };
        let look = look(cell);
        let blank = text == " ";
        match runs.last_mut() {
            Some((_, length, last, so_far))
                if *last == look && !is_shape(text) && !is_shape(so_far) && so_far.trim().is_empty() == blank =>
            {
                *length += wide;
                so_far.push_str(text);
            }
            Some(_) | None => runs.push((column, wide, look, text.to_owned())),
        }
    }
    runs
}

fn is_shape(text: &str) -> bool {
    SHAPES.iter().any(|(shape, ..)| *shape == text)
}

fn look(cell: &vt100::Cell) -> Look {
    let (mut front, mut back) = (colour(cell.fgcolor(), FOREGROUND), colour(cell.bgcolor(), BACKGROUND));
    if cell.inverse() {
        std::mem::swap(&mut front, &mut back);
    }
    if cell.dim() {
        front = PALETTE[8].to_owned();
    }
    Look { front, back, bold: cell.bold(), italic: cell.italic(), underlined: cell.underline() }
}

fn colour(colour: Color, default: &str) -> String {
    match colour {
        Color::Default => default.to_owned(),
        Color::Idx(index) => {
            PALETTE.get(usize::from(index)).map_or_else(|| default.to_owned(), |found| (*found).to_owned())
        }
        Color::Rgb(red, green, blue) => format!("#{red:02x}{green:02x}{blue:02x}"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
