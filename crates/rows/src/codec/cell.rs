//! The output of a codec, and the policies it applies.

use crate::json::Jsonb;
use handoff_model::LossPolicy;
use handoff_settings::ValuePolicies;

/// The length that stands for NULL.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// The output of a codec for one value, and the policies of its column.
pub(crate) struct CellWriter<'a> {
    pub(crate) out: &'a mut Vec<u8>,
    /// All `fail` for a key column.
    pub(crate) policies: &'a ValuePolicies,
    pub(crate) uses: &'a mut PolicyUses,
    pub(crate) scratch: &'a mut CodecScratch,
}

/// Buffers that live as long as the encoder, so that no value allocates.
#[derive(Debug, Default)]
pub(crate) struct CodecScratch {
    pub(crate) decoded: Vec<u8>,
    pub(crate) jsonb: Jsonb,
}

/// The number of values of one column that each policy changed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PolicyUses([u64; PolicyUses::POLICIES.len()]);

impl PolicyUses {
    pub(crate) const POLICIES: [LossPolicy; 4] =
        [LossPolicy::ZeroDates, LossPolicy::NulBytes, LossPolicy::BadText, LossPolicy::BadJson];

    /// Counts one value that `policy` changed.
    pub(crate) fn count(&mut self, policy: LossPolicy) {
        let index = match policy {
            LossPolicy::ZeroDates => 0,
            LossPolicy::NulBytes => 1,
            LossPolicy::BadText => 2,
            LossPolicy::BadJson => 3,
        };
        self.0[index] += 1;
    }

    /// Returns each policy with its count.
    pub(crate) fn entries(self) -> impl Iterator<Item = (LossPolicy, u64)> {
        PolicyUses::POLICIES.into_iter().zip(self.0)
    }
}

impl CellWriter<'_> {
    pub(crate) fn null(&mut self) {
        self.out.extend_from_slice(&NULL);
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        put(self.out, bytes);
    }

    pub(crate) fn put4(&mut self, bytes: [u8; 4]) {
        put4(self.out, bytes);
    }

    pub(crate) fn put8(&mut self, bytes: [u8; 8]) {
        put8(self.out, bytes);
    }
}

/// Appends the length and the bytes of one field.
pub(super) fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(4 + bytes.len());
    out.extend_from_slice(&length(bytes.len()));
    out.extend_from_slice(bytes);
}

/// Appends a field of four bytes.
pub(super) fn put4(out: &mut Vec<u8>, bytes: [u8; 4]) {
    let mut field = [0, 0, 0, 4, 0, 0, 0, 0];
    field[4..].copy_from_slice(&bytes);
    out.extend_from_slice(&field);
}

/// Appends a field of eight bytes.
pub(super) fn put8(out: &mut Vec<u8>, bytes: [u8; 8]) {
    let mut field = [0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0];
    field[4..].copy_from_slice(&bytes);
    out.extend_from_slice(&field);
}

/// Leaves room for the length of a field that is about to be appended; for [`close`].
pub(super) fn open(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&NULL);
    out.len()
}

/// Fills in the length of the field that began at `start`.
pub(super) fn close(out: &mut [u8], start: usize) {
    let field = length(out.len() - start);
    out[start - 4..start].copy_from_slice(&field);
}

/// Returns a count as the format has it.
pub(super) fn length(count: usize) -> [u8; 4] {
    // A packet of MySQL holds 1 GiB at most, so no field comes near 2 GiB.
    i32::try_from(count).expect("a field is shorter than 2 GiB").to_be_bytes()
}
