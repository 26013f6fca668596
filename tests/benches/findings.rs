//! What a measurement finds: ratios of things measured beside each other in one run, and whether they are as they should
//! be.

use std::env;
use std::process::ExitCode;

/// A ratio, and what it should be.
pub(crate) struct Finding {
    pub(crate) what: String,
    pub(crate) ratio: f64,
    pub(crate) reach: Reach,
}

/// On which side of a bound a ratio should be.
#[allow(dead_code, reason = "not every measurement has both")]
pub(crate) enum Reach {
    AtMost(f64),
    AtLeast(f64),
}

impl Finding {
    fn is_reached(&self) -> bool {
        match self.reach {
            Reach::AtMost(bound) => self.ratio <= bound,
            Reach::AtLeast(bound) => self.ratio >= bound,
        }
    }

    fn print(&self) {
        let bound = match self.reach {
            Reach::AtMost(bound) => format!("at most {bound}"),
            Reach::AtLeast(bound) => format!("at least {bound}"),
        };
        let verdict = if self.is_reached() { "reached" } else { "NOT REACHED" };
        println!("  {:8.2}  {} ({bound}): {verdict}", self.ratio, self.what);
    }
}

/// A part of a measurement, by its name.
pub(crate) type Part = (&'static str, fn() -> Vec<Finding>);

/// Runs the parts that are named on the command line, or all of them, and prints what they find.
pub(crate) fn measure(parts: &[Part]) -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let names: Vec<_> = parts.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        println!("there is no part '{unknown}'; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let mut all_reached = true;
    for (name, measure) in parts {
        if !wanted.is_empty() && !wanted.iter().any(|part| part == name) {
            continue;
        }
        println!("{name}");
        for finding in measure() {
            finding.print();
            all_reached &= finding.is_reached();
        }
    }
    if all_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
