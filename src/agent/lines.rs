//! From pieces of output to lines.

/// Puts lines together. Whoever gives the pieces sees to it that no line is endless.
#[derive(Debug, Default)]
pub struct Lines {
    open: String,
}

impl Lines {
    /// The lines that are whole with this piece, without their ends; empty ones are left out.
    pub fn feed(&mut self, piece: &str) -> Vec<String> {
        let Some((whole, rest)) = piece.rsplit_once('\n') else {
            self.open.push_str(piece);
            return Vec::new();
        };
        let mut text = std::mem::replace(&mut self.open, rest.to_owned());
        text.push_str(whole);
        text.split('\n').map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// What is left when nothing more comes.
    pub fn finish(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.open)).filter(|line| !line.trim().is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Lines;

    #[test]
    fn lines_do_not_depend_on_the_pieces() {
        let text = "one\r\n\n  two three\nfour";
        for cut in (0..=text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            let mut lines = Lines::default();
            let mut all = lines.feed(&text[..cut]);
            all.extend(lines.feed(&text[cut..]));
            all.extend(lines.finish());
            assert_eq!(all, ["one", "two three", "four"], "cut at {cut}");
        }
    }
}
