//! The hops of a run.

/// The hops that a run makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Hops {
    /// Source to replica to target; source to target without a replica.
    #[default]
    Both,
    /// Source to replica only.
    Copy,
    /// Replica to target only; the source is not touched.
    Load,
}

impl Hops {
    /// Returns the command that makes them.
    pub fn command(self) -> &'static str {
        match self {
            Hops::Both => "run",
            Hops::Copy => "replicate",
            Hops::Load => "load",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_choice_of_hops_has_its_command() {
        let commands = [Hops::Both, Hops::Copy, Hops::Load].map(Hops::command);
        assert_eq!(commands, ["run", "replicate", "load"]);
    }
}
