//! The number of rows that a statement takes.

use std::time::Duration;

/// The time that one statement should take: long enough that its fixed cost does not count, short
/// enough that a request to stop is heeded soon.
const LAP: Duration = Duration::from_millis(50);

/// Sizes batches of rows by what the ones before took. Sizes are powers of two, so that a server
/// prepares few statements.
///
/// ```
/// use handoff_model::BatchSize;
/// use std::time::Duration;
///
/// let mut size = BatchSize::new(64, 1000);
/// assert_eq!(size.next(500), 64);
/// size.learn(64, Duration::from_millis(1));
/// assert_eq!((size.next(500), size.next(100)), (128, 64));
/// ```
#[derive(Debug, Clone)]
pub struct BatchSize {
    rows: usize,
    most: usize,
}

impl BatchSize {
    /// Begins with `first` rows and never takes more than `most`, both rounded down to a power of
    /// two.
    pub fn new(first: usize, most: usize) -> BatchSize {
        let most = floor(most);
        BatchSize { rows: floor(first).min(most), most }
    }

    /// Returns how many of `left` rows the next batch takes; 0 of none.
    pub fn next(&self, left: usize) -> usize {
        if left == 0 { 0 } else { floor(left).min(self.rows) }
    }

    /// Learns what a batch of `rows` took: twice as many are taken after a full one that was fast,
    /// half as many after one that was slow.
    pub fn learn(&mut self, rows: usize, took: Duration) {
        if took > LAP * 2 {
            self.rows = self.rows.min(floor(rows / 2));
        } else if rows == self.rows && took < LAP / 4 {
            self.rows = (rows * 2).min(self.most);
        }
    }
}

/// Returns the greatest power of two up to `rows`; 1 for none.
fn floor(rows: usize) -> usize {
    1 << rows.max(1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_fast_and_shrink_when_they_are_slow() {
        let mut size = BatchSize::new(100, 1000);
        let mut sizes = Vec::new();
        for took in [LAP / 5, LAP / 5, LAP, LAP / 5, LAP / 5, LAP * 3, LAP * 3] {
            let rows = size.next(usize::MAX);
            sizes.push(rows);
            size.learn(rows, took);
        }
        assert_eq!(sizes, [64, 128, 256, 256, 512, 512, 256]);
        // One that was not full says nothing of larger ones, unless it was slow.
        size.learn(16, LAP / 5);
        assert_eq!(size.next(1000), 128);
        size.learn(16, LAP * 3);
        assert_eq!(size.next(1000), 8);
        for _ in 0..9 {
            size.learn(size.next(1000), LAP * 3);
        }
        assert_eq!(size.next(1000), 1);
    }

    #[test]
    fn what_is_left_goes_in_few_sizes() {
        let size = BatchSize::new(64, 64);
        let (mut left, mut sizes) = (210, Vec::new());
        while left > 0 {
            sizes.push(size.next(left));
            left -= size.next(left);
        }
        assert_eq!(sizes, [64, 64, 64, 16, 2]);
        assert_eq!(BatchSize::new(64, 0).next(9), 1);
        assert_eq!(size.next(0), 0);
    }
}
