//! Room on the disks of replica and target.

use crate::findings::Findings;
use crate::report::CheckSubject as S;
use handoff_model::human::bytes;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A disk, as far as it can be seen from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DiskView {
    free: u64,
    device: u64,
}

impl DiskView {
    /// Looks at the disk that a folder of this machine is on.
    pub(crate) fn of(folder: &str) -> Option<DiskView> {
        let folder = Path::new(folder);
        let device = std::fs::metadata(folder).ok()?.dev();
        let disk = rustix::fs::statvfs(folder).ok()?;
        Some(DiskView { free: disk.f_bavail.saturating_mul(disk.f_frsize), device })
    }
}

/// The need of a side for space on its disk, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WantedSpace {
    /// The size of the tables in the source.
    pub(crate) source: u64,
    /// The size of the tables that are there already.
    pub(crate) there: u64,
    /// The size of the largest table: for a while there are two of it.
    pub(crate) largest: u64,
}

impl WantedSpace {
    fn more(&self) -> u64 {
        self.source.saturating_sub(self.there).saturating_add(self.largest)
    }
}

/// One side's need and its disk, if that can be seen.
pub(crate) struct DiskNeed {
    pub(crate) wanted: WantedSpace,
    pub(crate) disk: Option<DiskView>,
}

/// Says whether there is room enough. `other` shares the disk with `room` if it is on the same.
pub(crate) fn finding(room: &DiskNeed, other: Option<&DiskNeed>, findings: &mut Findings) {
    let WantedSpace { source, there, .. } = room.wanted;
    let wanted = room.wanted.more();
    let tables = format!(
        "the tables take {} in the source and {} here, so about {} more are wanted, for a second \
         copy of the largest too",
        bytes(source),
        bytes(there),
        bytes(wanted)
    );
    let Some(disk) = room.disk else {
        findings.ok(S::Room, format!("{tables}; how much is free cannot be asked from here"));
        return;
    };
    let shared = other.filter(|other| other.disk.is_some_and(|other| other.device == disk.device));
    let others = shared.map_or(0, |other| other.wanted.more());
    let both = if others > 0 {
        format!(", and {} by the other database on the same disk", bytes(others))
    } else {
        String::new()
    };
    let what = format!("{tables}{both}; {} are free", bytes(disk.free));
    if disk.free < wanted.saturating_add(others) {
        // PostgreSQL keeps the same rows in another size, so this is no certainty.
        findings.warning(S::Room, what);
    } else {
        findings.ok(S::Room, what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::CheckVerdict::{self, Ok, Warning};
    use handoff_connect::Side;

    const GB: u64 = 1_000_000_000;

    fn room(free: Option<(u64, u64)>) -> DiskNeed {
        let wanted = WantedSpace { source: 4 * GB, there: GB, largest: GB };
        DiskNeed { wanted, disk: free.map(|(free, device)| DiskView { free, device }) }
    }

    #[track_caller]
    fn check(room: &DiskNeed, other: Option<&DiskNeed>, expected: CheckVerdict, part: &str) {
        let mut findings = Findings::of(Side::Replica);
        finding(room, other, &mut findings);
        let found = findings.into_vec().remove(0);
        assert_eq!(found.verdict, expected, "{found:?}");
        assert!(found.what.contains(part), "{found:?}");
    }

    #[test]
    fn what_both_want_of_one_disk_counts_for_both() {
        check(&room(None), None, Ok, "about 4.0 GB more are wanted");
        check(&room(Some((5 * GB, 1))), None, Ok, "5.0 GB are free");
        check(&room(Some((3 * GB, 1))), None, Warning, "3.0 GB are free");
        let other = room(Some((5 * GB, 1)));
        check(&room(Some((5 * GB, 1))), Some(&other), Warning, "4.0 GB by the other database");
        check(&room(Some((5 * GB, 2))), Some(&other), Ok, "5.0 GB are free");
    }

    #[test]
    fn the_disk_of_a_folder_is_seen() {
        assert!(DiskView::of("/").is_some());
        assert_eq!(DiskView::of("/no/such/folder"), None);
    }
}
