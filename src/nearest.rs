//! The name that was probably meant by one that is mistyped.

/// How many letters may be wrong in a name for which another one is offered.
const TYPOS_MAX: usize = 2;

/// Longer ones are nothing mistyped, and not worth the comparison.
const NAME_CHARS_MAX: usize = 64;

/// The one of `names` that is nearest to what was typed, if it is near. Capitals don't count.
pub fn nearest<'n>(typed: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let letters = typed.chars().count();
    if letters > NAME_CHARS_MAX {
        return None;
    }
    // One letter is near to every short name.
    let typos_max = TYPOS_MAX.min(letters.saturating_sub(1));
    let distances = names.into_iter().map(|name| (distance(name, typed), name));
    // Letters change places more often than one is left out and another one is wrong.
    let unlike = |name: &str| name.chars().count().abs_diff(letters);
    let near = distances.filter(|(typos, _)| *typos <= typos_max);
    near.min_by_key(|(typos, name)| (*typos, unlike(name))).map(|(_, name)| name)
}

/// The number of letters to insert, remove or replace (Levenshtein, 1965), one row of the table at a time.
fn distance(name: &str, typed: &str) -> usize {
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=typed.len()).collect();
    for (above, letter) in name.chars().enumerate() {
        let mut left = above + 1;
        let mut next = vec![left];
        for ((diagonal, up), other) in row.iter().zip(row.iter().skip(1)).zip(&typed) {
            left = (diagonal + usize::from(letter != *other)).min(up + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_that_one_counts() {
        for (typed, expected) in [("/who", 0), ("/hwo", 2), ("/wh", 1), ("/whoo", 1), ("", 4)] {
            assert_eq!(distance("/who", typed), expected, "{typed}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_if_it_is_near() {
        let names = ["/reply", "/help", "/who", "/version"];
        assert_eq!(nearest("/HEPL", names), Some("/help"));
        assert_eq!(nearest("/", names), None);
        assert_eq!(nearest("/usr/bin", names), None);
        assert_eq!(nearest(&"/who".repeat(40), names), None);
    }
}
