//! The columns of verdicts.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    BooleanBuilder, Float64Builder, ListBuilder, StringBuilder, StringDictionaryBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::types::Int32Type;
use arrow_schema::{DataType, Field, FieldRef, TimeUnit};
use kernel::audit::{AuditFailure, AuditRow, AuditVerdict, AuditedToken};
use kernel::{DpopProof, NumericDate, UnixTime};
use watchword_kernel as kernel;

const UTC: &str = "UTC";

/// The columns of the output, after those that are kept.
pub(crate) fn verdict_fields(with_proofs: bool) -> Vec<FieldRef> {
    let repeated = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let time = || DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()));
    let actors = DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true)));
    let mut fields = vec![
        Field::new("time", time(), true),
        Field::new("valid", DataType::Boolean, false),
        Field::new("code", repeated(), true),
        Field::new("key_state", repeated(), true),
        Field::new("issuer", repeated(), true),
        Field::new("subject", DataType::Utf8, true),
        Field::new("client_id", repeated(), true),
        Field::new("actors", actors, true),
        Field::new("scope", repeated(), true),
        Field::new("key_id", repeated(), true),
        Field::new("algorithm", repeated(), true),
        Field::new("token_id", DataType::Utf8, true),
        Field::new("expires_at", time(), true),
        Field::new("not_before", time(), true),
        Field::new("issued_at", time(), true),
        Field::new("seconds_past_expiry", DataType::Float64, true),
        Field::new("token_hash", DataType::Utf8, true),
    ];
    if with_proofs {
        fields.extend([Field::new("proof_key", DataType::Utf8, true), Field::new("proof_hash", DataType::Utf8, true)]);
    }
    fields.into_iter().map(Arc::new).collect()
}

/// Builds these columns row by row.
pub(crate) struct VerdictColumns {
    time: TimestampMicrosecondBuilder,
    valid: BooleanBuilder,
    code: StringDictionaryBuilder<Int32Type>,
    key_state: StringDictionaryBuilder<Int32Type>,
    token: TokenColumns,
    seconds_past_expiry: Float64Builder,
    token_hash: StringBuilder,
    proofs: Option<ProofColumns>,
}

/// What the issuer signed.
struct TokenColumns {
    issuer: StringDictionaryBuilder<Int32Type>,
    subject: StringBuilder,
    client_id: StringDictionaryBuilder<Int32Type>,
    actors: ListBuilder<StringBuilder>,
    scope: StringDictionaryBuilder<Int32Type>,
    key_id: StringDictionaryBuilder<Int32Type>,
    algorithm: StringDictionaryBuilder<Int32Type>,
    token_id: StringBuilder,
    expires_at: TimestampMicrosecondBuilder,
    not_before: TimestampMicrosecondBuilder,
    issued_at: TimestampMicrosecondBuilder,
    /// The words of one token's scope.
    words: String,
}

/// The key of a proof, and a name for the proof: the same for one that is sent again.
#[derive(Default)]
struct ProofColumns {
    key: StringBuilder,
    hash: StringBuilder,
}

impl VerdictColumns {
    pub(crate) fn new(rows: usize, with_proofs: bool) -> Self {
        const HASH: usize = 43;
        Self {
            time: times(rows),
            valid: BooleanBuilder::with_capacity(rows),
            code: StringDictionaryBuilder::new(),
            key_state: StringDictionaryBuilder::new(),
            token: TokenColumns::new(rows),
            seconds_past_expiry: Float64Builder::with_capacity(rows),
            token_hash: StringBuilder::with_capacity(rows, rows.saturating_mul(HASH)),
            proofs: with_proofs.then(ProofColumns::default),
        }
    }

    /// Whether there is room for what this token says. Builders panic if a column has 2 GiB of texts; few tokens suffice
    /// if they are repeated.
    pub(crate) fn has_room(&self, verdict: &AuditVerdict<'_>) -> bool {
        const MOST: usize = 0x7fff_ffff;
        let claims = verdict.token.and_then(AuditedToken::jws).map_or(0, |jws| jws.payload().len());
        let TokenColumns { subject, token_id, actors, .. } = &self.token;
        let has_room = |texts: &StringBuilder| texts.values_slice().len().saturating_add(claims) <= MOST;
        [subject, token_id, actors.values_ref()].into_iter().all(has_room)
    }

    pub(crate) fn push(&mut self, row: &AuditRow<'_>, verdict: &AuditVerdict<'_>) {
        let code = verdict.outcome.as_ref().err().map(AuditFailure::code);
        let known = verdict.token;
        let expires_at = known.and_then(|token| token.claims()?.expires_at()).map(NumericDate::seconds);
        let late = |time: UnixTime| expires_at.map(|at| time.seconds() - at).filter(|late| *late > 0.0);
        self.time.append_option(row.time.map(|time| microseconds(time.seconds())));
        self.valid.append_value(code.is_none());
        self.code.append_option(code);
        self.key_state.append_option(known.and_then(|token| Some(token.key_state()?.name())));
        self.token.push(known);
        self.seconds_past_expiry.append_option(row.time.and_then(late));
        match (known, row.token) {
            (Some(known), _) => self.token_hash.append_value(known.token_hash()),
            (None, Some(token)) => self.token_hash.append_value(kernel::token_hash(token)),
            (None, None) => self.token_hash.append_null(),
        }
        if let Some(proofs) = &mut self.proofs {
            proofs.push(verdict.outcome.as_ref().ok().and_then(Option::as_ref));
        }
    }

    pub(crate) fn finish(mut self) -> Vec<ArrayRef> {
        let mut columns: Vec<ArrayRef> = vec![
            Arc::new(self.time.finish()),
            Arc::new(self.valid.finish()),
            Arc::new(self.code.finish()),
            Arc::new(self.key_state.finish()),
        ];
        columns.extend(self.token.finish());
        columns.push(Arc::new(self.seconds_past_expiry.finish()));
        columns.push(Arc::new(self.token_hash.finish()));
        if let Some(mut proofs) = self.proofs {
            columns.push(Arc::new(proofs.key.finish()));
            columns.push(Arc::new(proofs.hash.finish()));
        }
        columns
    }
}

impl TokenColumns {
    fn new(rows: usize) -> Self {
        Self {
            issuer: StringDictionaryBuilder::new(),
            subject: StringBuilder::with_capacity(rows, rows.saturating_mul(16)),
            client_id: StringDictionaryBuilder::new(),
            actors: ListBuilder::with_capacity(StringBuilder::new(), rows),
            scope: StringDictionaryBuilder::new(),
            key_id: StringDictionaryBuilder::new(),
            algorithm: StringDictionaryBuilder::new(),
            token_id: StringBuilder::with_capacity(rows, rows.saturating_mul(32)),
            expires_at: times(rows),
            not_before: times(rows),
            issued_at: times(rows),
            words: String::new(),
        }
    }

    fn push(&mut self, token: Option<&AuditedToken>) {
        let (jws, claims) = (token.and_then(AuditedToken::jws), token.and_then(AuditedToken::claims));
        self.key_id.append_option(jws.and_then(|jws| jws.key_id()));
        self.algorithm.append_option(jws.map(|jws| jws.algorithm().name()));
        self.issuer.append_option(claims.and_then(|claims| claims.issuer()));
        self.subject.append_option(claims.and_then(|claims| claims.subject()));
        self.token_id.append_option(claims.and_then(|claims| claims.token_id()));
        self.client_id.append_option(token.and_then(AuditedToken::client_id));
        let date = |date: Option<NumericDate>| date.map(|date| microseconds(date.seconds()));
        self.expires_at.append_option(date(claims.and_then(|claims| claims.expires_at())));
        self.not_before.append_option(date(claims.and_then(|claims| claims.not_before())));
        self.issued_at.append_option(date(claims.and_then(|claims| claims.issued_at())));
        let actors = token.and_then(AuditedToken::actors);
        for actor in actors.unwrap_or_default() {
            self.actors.values().append_option(actor.as_deref());
        }
        self.actors.append(actors.is_some());
        match claims {
            None => self.scope.append_null(),
            Some(claims) => {
                self.words.clear();
                for word in claims.scopes() {
                    if !self.words.is_empty() {
                        self.words.push(' ');
                    }
                    self.words.push_str(word);
                }
                self.scope.append_value(&self.words);
            }
        }
    }

    fn finish(mut self) -> [ArrayRef; 11] {
        [
            Arc::new(self.issuer.finish()),
            Arc::new(self.subject.finish()),
            Arc::new(self.client_id.finish()),
            Arc::new(self.actors.finish()),
            Arc::new(self.scope.finish()),
            Arc::new(self.key_id.finish()),
            Arc::new(self.algorithm.finish()),
            Arc::new(self.token_id.finish()),
            Arc::new(self.expires_at.finish()),
            Arc::new(self.not_before.finish()),
            Arc::new(self.issued_at.finish()),
        ]
    }
}

impl ProofColumns {
    fn push(&mut self, proof: Option<&DpopProof>) {
        self.key.append_option(proof.map(DpopProof::jkt));
        self.hash.append_option(
            proof.map(|proof| kernel::token_hash(format!("{}{}", proof.jkt(), proof.token_id()).as_bytes())),
        );
    }
}

fn times(rows: usize) -> TimestampMicrosecondBuilder {
    TimestampMicrosecondBuilder::with_capacity(rows).with_timezone(UTC)
}

/// Rounded to microseconds, as Arrow has them: the dates of tokens and of rows end with the year 9999.
#[allow(clippy::as_conversions, reason = "the year 9999 has fewer than 2^63 microseconds; a cast saturates")]
fn microseconds(seconds: f64) -> i64 {
    (seconds * 1e6).round() as i64
}
