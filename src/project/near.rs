//! Words that look like another word.

/// Longer words are not compared: nobody types them, and comparing costs the product of the lengths.
const LONGEST: usize = 64;

/// Words that are compared with, for the same reason.
const MOST: usize = 2_000;

/// Those of `known` that look like `word`, the nearest first, at most three.
pub(super) fn near<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .take(MOST)
        .filter_map(|candidate| {
            let distance = distance(&fold(word), &fold(candidate))?;
            let tolerated = candidate.chars().count().max(3) / 3;
            let is_another = distance >= fold(word).len().min(fold(candidate).len());
            (distance <= tolerated && !is_another).then_some((distance, candidate))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(3).map(|(_, candidate)| candidate).collect()
}

/// What to say about `word`, which is none of `known`: what was probably meant, otherwise everything that is known.
pub(super) fn did_you_mean<'k>(word: &str, what: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> String {
    match near(word, known.clone()).first() {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let all: Vec<&str> = known.into_iter().take(20).collect();
            if all.is_empty() { format!("there are no {what} yet") } else { format!("{what}: {}", all.join(", ")) }
        }
    }
}

/// How a word is compared: without case, and without what is written between its parts.
fn fold(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).take(LONGEST + 1).collect()
}

/// Characters to insert, delete, replace or swap with their neighbour (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> Option<usize> {
    if a.is_empty() || a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, &ca) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, &cb) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(ca != cb)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && ca == b[j - 1] && cb == a[i - 1] {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_near() {
        for (typed, meant) in [
            ("tset", "test"),
            ("itegration_test", "integration_test"),
            ("pricing", "Pricing"),
            ("order-pricing", "OrderPricing"),
        ] {
            assert_eq!(near(typed, [meant, "description"]), [meant], "{typed}");
        }
    }

    #[test]
    fn another_word_is_not_near() {
        for typed in ["", "colour", "x", &"a".repeat(1000)] {
            assert_eq!(near(typed, ["design", "code", "test"]), Vec::<&str>::new(), "{typed}");
        }
    }

    #[test]
    fn the_nearest_comes_first() {
        assert_eq!(near("Orders", ["OrderX", "Border", "Orders2", "Orderss"]), ["OrderX", "Orders2", "Orderss"]);
    }
}
