//! Which columns of the input there are, and which of the output.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{ArrowError, FieldRef, Schema, SchemaRef};
use watchword_kernel::UnixTime;

use crate::verdicts::verdict_fields;

/// The names of the columns of a log.
#[derive(Debug, Clone)]
pub struct AuditColumns {
    /// The tokens.
    pub token: String,
    /// When each was used.
    pub time: TimeOfUse,
    /// The DPoP proof that was sent with each, and the request.
    pub request: Option<RequestColumns>,
    /// The columns of the input that the output has, too, before its own.
    pub keep: Vec<String>,
}

/// When the tokens were used.
#[derive(Debug, Clone)]
pub enum TimeOfUse {
    /// A column has the time of each.
    Column(String),
    /// All at one time.
    Fixed(UnixTime),
}

/// The names of the columns of requests with DPoP proofs.
#[derive(Debug, Clone)]
pub struct RequestColumns {
    /// The methods.
    pub method: String,
    /// The absolute URIs.
    pub uri: String,
    /// The values of the `DPoP` header; null for a request without one.
    pub proof: String,
}

impl AuditColumns {
    /// The schema of the output for input of this schema.
    ///
    /// # Errors
    /// [`ArrowError`] if a column is missing or has an unsuitable type, or if one that is kept has the name of one that is
    /// added.
    pub fn output(&self, input: &Schema) -> Result<SchemaRef, ArrowError> {
        let empty = RecordBatch::new_empty(Arc::new(input.clone()));
        crate::audit::Inputs::of(self, &empty)?;
        let mut fields = Vec::new();
        for name in &self.keep {
            fields.push(Arc::clone(find(input, name)?.1));
        }
        fields.extend(verdict_fields(self.request.is_some()));
        for (index, field) in fields.iter().enumerate() {
            if fields.iter().take(index).any(|other| other.name() == field.name()) {
                return Err(ArrowError::InvalidArgumentError(format!(
                    "the output would have two columns {:?}: rename the one that is kept",
                    field.name()
                )));
            }
        }
        Ok(Arc::new(Schema::new(fields)))
    }

    /// The column of this name.
    pub(crate) fn column<'a>(&self, batch: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
        let (index, _) = find(batch.schema_ref(), name)?;
        batch.columns().get(index).ok_or_else(|| missing(name, batch.schema_ref()))
    }
}

/// The only field of this name, and its index.
fn find<'a>(schema: &'a Schema, name: &str) -> Result<(usize, &'a FieldRef), ArrowError> {
    let mut named = schema.fields().iter().enumerate().filter(|(_, field)| field.name() == name);
    match (named.next(), named.next()) {
        (Some(only), None) => Ok(only),
        (Some(_), Some(_)) => {
            Err(ArrowError::InvalidArgumentError(format!("there are several columns {name:?}: rename all but one")))
        }
        (None, _) => Err(missing(name, schema)),
    }
}

fn missing(name: &str, schema: &Schema) -> ArrowError {
    const MOST: usize = 30;
    let names: Vec<_> = schema.fields().iter().take(MOST).map(|field| format!("{:?}", field.name())).collect();
    let more = if schema.fields().len() > MOST { ", ..." } else { "" };
    ArrowError::InvalidArgumentError(format!("there is no column {name:?}; the columns are {}{more}", names.join(", ")))
}
