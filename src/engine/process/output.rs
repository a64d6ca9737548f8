//! What is kept of a stream, in bounded memory whatever comes.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};

use camino::Utf8PathBuf;

/// Stands in a chunk where a line went on for longer than it may.
pub const LINE_CUT: &str = " […line cut]";

/// The longest line that is passed on whole.
pub(super) const LINE_CAP: usize = 64 << 10;

/// Bytes to text, across the borders of reads.
#[derive(Debug)]
pub(super) struct Decoder {
    /// The begin of a character whose rest has not come yet: three bytes at most.
    pending: Vec<u8>,
    /// How much of the current line has been passed on.
    line: usize,
    /// Whether the current line has been cut.
    cut: bool,
    /// How much of a line is passed on.
    cap: usize,
}

impl Decoder {
    pub(super) const fn new(cap: usize) -> Self {
        Self { pending: Vec::new(), line: 0, cut: false, cap }
    }

    /// The text that is complete with these bytes.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> String {
        let bytes = if self.pending.is_empty() {
            Cow::Borrowed(bytes)
        } else {
            let mut joined = std::mem::take(&mut self.pending);
            joined.extend_from_slice(bytes);
            Cow::Owned(joined)
        };
        let whole = bytes.len() - unfinished(&bytes);
        let (complete, rest) = bytes.split_at(whole);
        self.pending = rest.to_vec();
        self.shorten(String::from_utf8_lossy(complete).into_owned())
    }

    /// What is left when the stream ends in the middle of a character.
    pub(super) fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.pending);
        self.shorten(String::from_utf8_lossy(&rest).into_owned())
    }

    /// Cuts what a line has beyond the cap. Nearly all text has no such line, and is only looked at from its end.
    fn shorten(&mut self, text: String) -> String {
        if !self.cut && self.line + text.len() <= self.cap {
            self.line = text.rfind('\n').map_or(self.line + text.len(), |newline| text.len() - newline - 1);
            return text;
        }
        let mut short = String::new();
        for piece in text.split_inclusive('\n') {
            let ends = piece.ends_with('\n');
            let content = piece.strip_suffix('\n').unwrap_or(piece);
            if !self.cut {
                let room = content.floor_char_boundary(self.cap - self.line);
                short.push_str(content.get(..room).unwrap_or_default());
                self.line += room;
                self.cut = room < content.len();
                short.push_str(if self.cut { LINE_CUT } else { "" });
            }
            if ends {
                short.push('\n');
                (self.line, self.cut) = (0, false);
            }
        }
        short
    }
}

/// How many bytes at the end are the begin of a character that may yet be completed.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = bytes.get(bytes.len().saturating_sub(3)..).unwrap_or(bytes);
    // The last byte that begins a character: everything behind it continues one.
    let Some(start) = tail.iter().rposition(|byte| byte & 0b1100_0000 != 0b1000_0000) else { return 0 };
    let last = tail.get(start..).unwrap_or_default();
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => last.len(),
        Ok(_) | Err(_) => 0,
    }
}

/// Head and tail of a stream.
#[derive(Debug)]
pub(super) struct Kept {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    half: usize,
    total: u64,
}

impl Kept {
    pub(super) const fn new(keep: usize) -> Self {
        Self { head: Vec::new(), tail: VecDeque::new(), half: keep / 2, total: 0 }
    }

    pub(super) fn feed(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
        let room = (self.half - self.head.len()).min(bytes.len());
        let (head, rest) = bytes.split_at(room);
        self.head.extend_from_slice(head);
        let rest = rest.get(rest.len().saturating_sub(self.half)..).unwrap_or(rest);
        let excess = (self.tail.len() + rest.len()).saturating_sub(self.half);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    /// Head and tail, with the number of bytes that are missing between them, if any are.
    pub(super) fn finish(self) -> Vec<u8> {
        let missing = self.total - (self.head.len() + self.tail.len()) as u64;
        let mut whole = self.head;
        if missing > 0 {
            whole.extend_from_slice(format!("\n[… {missing} bytes left out …]\n").as_bytes());
        }
        let (front, back) = self.tail.as_slices();
        whole.extend_from_slice(front);
        whole.extend_from_slice(back);
        whole
    }
}

/// The file that gets every byte, up to a cap.
#[derive(Debug)]
pub(super) struct Record {
    target: Target,
    cap: u64,
    pub(super) kept: u64,
    pub(super) error: Option<String>,
}

#[derive(Debug)]
enum Target {
    Nowhere,
    /// Nothing has come yet: most no-op commands say nothing, and need no file.
    Later(Utf8PathBuf),
    Open(Utf8PathBuf, File),
}

impl Record {
    pub(super) fn new(path: Option<Utf8PathBuf>, cap: u64) -> Self {
        Self { target: path.map_or(Target::Nowhere, Target::Later), cap, kept: 0, error: None }
    }

    /// After the first error the file is left as it is, and the process goes on.
    pub(super) fn feed(&mut self, bytes: &[u8]) {
        let room = usize::try_from(self.cap - self.kept).unwrap_or(usize::MAX).min(bytes.len());
        let mut rest = bytes.get(..room).unwrap_or(bytes);
        while !rest.is_empty() {
            match self.write(rest) {
                None => return,
                Some(Ok(written)) => {
                    self.kept += written as u64;
                    rest = rest.get(written..).unwrap_or_default();
                }
                Some(Err(message)) => {
                    self.error = Some(message);
                    self.target = Target::Nowhere;
                }
            }
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Option<Result<usize, String>> {
        if let Target::Later(path) = &self.target {
            let made = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| File::create(path));
            match made {
                Ok(file) => self.target = Target::Open(path.clone(), file),
                Err(error) => return Some(Err(format!("`{path}` could not be made: {error}"))),
            }
        }
        let Target::Open(path, file) = &mut self.target else { return None };
        loop {
            return Some(match file.write(bytes) {
                Ok(0) => Err(format!("`{path}` takes no more bytes")),
                Ok(written) => Ok(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => Err(format!("`{path}` could not be written: {error}")),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::proptest;

    use super::{Decoder, Kept, LINE_CAP, LINE_CUT};

    #[test]
    fn a_long_line_is_cut_once_and_the_next_is_whole() {
        let mut decoder = Decoder::new(LINE_CAP);
        let mut text = String::new();
        for _ in 0..5 {
            text += &decoder.feed(&vec![b'a'; LINE_CAP / 2]);
        }
        text += &decoder.feed(b"b\nnext\n");
        assert_eq!(text, format!("{}{LINE_CUT}\nnext\n", "a".repeat(LINE_CAP)));
    }

    #[test]
    fn a_line_of_the_longest_length_is_whole() {
        let mut decoder = Decoder::new(LINE_CAP);
        let text = decoder.feed(&vec![b'a'; LINE_CAP]) + &decoder.feed(b"\nb\n");
        assert_eq!(text, format!("{}\nb\n", "a".repeat(LINE_CAP)));
    }

    proptest! {
        #[test]
        fn reads_do_not_show_in_the_text(bytes: Vec<u8>, mut cuts: Vec<proptest::sample::Index>) {
            check(&bytes, &mut cuts);
        }

        #[test]
        fn reads_do_not_show_in_real_text(text: String, mut cuts: Vec<proptest::sample::Index>) {
            check(text.as_bytes(), &mut cuts);
        }

        #[test]
        fn head_and_tail_are_those_of_the_stream(pieces: Vec<Vec<u8>>, keep in 0_usize..64) {
            let mut kept = Kept::new(keep);
            pieces.iter().for_each(|piece| kept.feed(piece));
            let (whole, half) = (pieces.concat(), keep / 2);
            let got = kept.finish();
            if whole.len() <= 2 * half {
                assert_eq!(got, whole);
            } else {
                assert!(got.starts_with(&whole[..half]) && got.ends_with(&whole[whole.len() - half..]));
                assert!(got.len() < keep + 64);
            }
        }

        #[test]
        fn no_line_is_longer_than_the_cap(lengths in proptest::collection::vec(0..3 * LINE_CAP, 0..4), step in 1..LINE_CAP) {
            let whole: Vec<u8> = lengths.iter().flat_map(|length| [vec![b'x'; *length], vec![b'\n']].concat()).collect();
            let mut decoder = Decoder::new(LINE_CAP);
            let text: String = whole.chunks(step).map(|piece| decoder.feed(piece)).collect();
            let lines: Vec<&str> = text.lines().collect();
            assert_eq!(lines.len(), lengths.len());
            for (line, length) in lines.iter().zip(&lengths) {
                let cut = if *length > LINE_CAP { LINE_CUT } else { "" };
                assert_eq!(**line, "x".repeat((*length).min(LINE_CAP)) + cut);
            }
        }
    }

    fn check(bytes: &[u8], cuts: &mut Vec<proptest::sample::Index>) {
        let mut points: Vec<usize> = cuts.drain(..).map(|cut| cut.index(bytes.len() + 1)).collect();
        points.extend([0, bytes.len()]);
        points.sort_unstable();
        let mut decoder = Decoder::new(LINE_CAP);
        let mut text: String = points.windows(2).map(|ends| decoder.feed(&bytes[ends[0]..ends[1]])).collect();
        text += &decoder.finish();
        assert_eq!(text, String::from_utf8_lossy(bytes));
    }
}
