//! What a person who waits is told.

use std::time::Instant;

/// Says what happens, each line with the seconds since the beginning; or nothing, in a test.
#[derive(Clone, Debug)]
pub struct Report {
    begun: Instant,
    quiet: bool,
}

impl Report {
    /// A report that begins now.
    pub fn new(quiet: bool) -> Self {
        Self { begun: Instant::now(), quiet }
    }

    /// Something happened.
    pub fn say(&self, line: &str) {
        self.print(&format!("{:6.1} s  {line}", self.begun.elapsed().as_secs_f32()));
    }

    /// More about what was said before.
    pub fn add(&self, line: &str) {
        self.print(&format!("{:12}{line}", ""));
    }

    #[expect(clippy::print_stdout, reason = "this is the tool's voice")]
    fn print(&self, line: &str) {
        if !self.quiet {
            println!("{line}");
        }
    }
}
