//! The words the practice is written with.

/// Returns the SQL expression that picks one of `list` by the number `x`.
pub(super) fn pick(x: &str, list: &[&str]) -> String {
    let items: Vec<String> = list.iter().map(|item| literal(item)).collect();
    format!("ELT(1 + {x} % {}, {})", list.len(), items.join(", "))
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

/// Texts as people and programs leave them. Everything that a careless copy changes is here but the
/// byte 0, which PostgreSQL can't hold.
pub(super) const ODD: &[&str] = &[
    "Patient called, will call back 😀🦷",
    "👩‍⚕️ moved to next week",
    "O'Brien said \"no\" twice",
    "C:\\images\\new\\table\\",
    "tab\there\tand\tthere",
    "line one\r\nline two\r\n",
    "unix\nlines\n\n",
    "old mac\rline",
    "  leading and trailing  ",
    "",
    " ",
    "\\N",
    "\\.",
    "NULL",
    "null, \"quoted, comma\"",
    "control \u{1}\u{2}\u{7}\u{8}\u{b}\u{c}\u{1b}\u{1f}\u{7f} characters",
    "C1 controls \u{80}\u{85}\u{9f} and a soft\u{ad}hyphen",
    "nbsp\u{a0}and\u{2028}separators\u{feff}",
    "Zähne geprüft, naïve café, Łukasz, 日本語, עברית",
    "e\u{301} is not \u{e9}",
    "100% _done_ {json: [1,2]} $1 ${x} `tick`",
    "<b>bold</b> &amp; &lt;",
    "0001-01-01",
    "1e5",
    "b'bytes'",
    "-- comment; DROP TABLE patient; /* */",
];

/// [`ODD`] as far as three-byte UTF-8 goes, for the tables in `utf8mb3`.
pub(super) const ODD_WITHOUT_EMOJI: &[&str] = ODD.split_at(2).1;

pub(super) const SENTENCES: &[&str] = &[
    "Appointment viewed from the schedule by front desk.",
    "Patient information edited; phone number changed, previous value removed.",
    "Procedure set complete from the chart module, fee taken from office fee schedule.",
    "Claim sent electronically, batch accepted by clearinghouse.",
    "Payment split deleted and entered again under the guarantor.",
    "Image opened.",
    "Log on by domain user. Password strength checked.",
    "Insurance plan changed; benefits recalculated for all subscribers of the plan, twelve in total.",
];

pub(super) const NOTES: &[&str] = &[
    "Medical history reviewed, no changes. Pt reports sensitivity UR when drinking cold.",
    "Anesthesia: 1 carp 2% lidocaine 1:100k epi. Rubber dam. Etch, prime, bond. Shade A2. Occlusion checked, pt dismissed in good condition.",
    "Left message.",
    "Prophy, 4BWX, exam by Dr. Generalized light calculus, slight bleeding on probing. OHI given. NV: 6 months.",
    "Crown prep #14, impression taken, temporary cemented with Temp-Bond. Warned of possible sensitivity. Lab slip sent.",
    "Called to confirm.",
    "Mother states patient bit lip after last visit. Healing well. No treatment today, will watch and review at next recall with parent present.",
];

pub(super) const WORDS: &[&str] = &[
    "Bitewings - four films",
    "Comp #3 MOD",
    "PerEx, Pro, 4BW",
    "Crown - porcelain/ceramic",
    "Recall",
    "New patient exam; FMX",
    "Consent form",
    "Perio maintenance",
    "D0120",
    "Scaling & root planing",
    "Post-op check",
];

pub(super) const FIELDS: &[&str] = &[
    "patient.nameFL",
    "misc",
    "FName",
    "dateTime.Today",
    "signature",
    "checkMed1",
    "allergy:Latex",
    "inputMed12",
    "ICEName",
    "ins1.carrier",
];

pub(super) const LAST_NAMES: &[&str] = &[
    "Smith",
    "O'Brien",
    "de la Cruz",
    "Müller",
    "Nguyen",
    "SMITH",
    "smith",
    "Smith ",
    "Łukasiewicz",
    "D\"Angelo",
    "Ng",
    "van der Berg",
    "Null",
    "Žižek",
    "Jones-Smyth",
    "Back\\slash",
];

pub(super) const FIRST_NAMES: &[&str] =
    &["Anna", "Zoë", "José", "Mary Ann", "Li", "Søren", "anna", "", "Jean-Luc", "X Æ A-12", "Noël"];

pub(super) const STREETS: &[&str] =
    &["Main St NE", "Oak Ave, Apt #4", "Rue de l'Église", "Königsallee", "P.O. Box"];
