//! How, and how long ago, the user of a token authenticated (RFC 9470).

use watchword_kernel::json::{Object, Value};
use watchword_kernel::{UnixTime, VerifiedToken};

use crate::challenge::is_quotable;
use crate::failure::Failure;

/// The accepted authentication contexts, and the maximum age of the authentication.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct AuthenticationRequirement {
    acr_values: Vec<String>,
    max_age: Option<u64>,
    leeway: f64,
}

impl AuthenticationRequirement {
    /// The difference of clocks, in seconds, that is tolerated by default.
    pub const DEFAULT_LEEWAY: f64 = 5.0;

    /// Requires that `acr` is one of `acr_values`, the best first (empty: any), and that `auth_time` is at most `max_age`
    /// seconds ago, give or take `leeway` seconds.
    ///
    /// # Errors
    /// One sentence, if a context has characters that a challenge cannot have.
    pub fn new(acr_values: Vec<String>, max_age: Option<u64>, leeway: f64) -> Result<Self, String> {
        let is_context = |text: &String| !text.is_empty() && is_quotable(text) && !text.contains(' ');
        if let Some(context) = acr_values.iter().find(|context| !is_context(context)) {
            return Err(format!(
                "acr_values has {context:?}: it must be printable ASCII without spaces, quotes and backslashes"
            ));
        }
        if !(leeway.is_finite() && leeway >= 0.0) {
            return Err("leeway must be a finite number of seconds, 0 or more".to_owned());
        }
        Ok(Self { acr_values, max_age, leeway })
    }

    /// Whether anything is required.
    pub(crate) fn is_required(&self) -> bool {
        !self.acr_values.is_empty() || self.max_age.is_some()
    }

    /// Checks the claims `acr` and `auth_time` of a verified token (RFC 9470 section 5).
    ///
    /// # Errors
    /// [`Failure`] with what a challenge must tell the client.
    pub fn check(&self, token: &VerifiedToken, now: UnixTime) -> Result<(), Failure> {
        if !self.is_required() {
            return Ok(());
        }
        // The payload of a verified token is strict JSON.
        let claims = Object::parse(token.jws().payload()).ok();
        let claim = |name| claims.as_ref().and_then(|claims| claims.get(name));
        let context = claim("acr").and_then(Value::as_str);
        if !self.acr_values.is_empty() && !self.acr_values.iter().any(|accepted| Some(accepted.as_str()) == context) {
            return Err(self.failure("\"acr\" is not one of the accepted authentication contexts"));
        }
        if let Some(max_age) = self.max_age {
            let authenticated_at = match claim("auth_time") {
                Some(Value::Number(number)) => Some(number.as_f64()),
                _ => None,
            };
            // Whole seconds of a realistic age have no rounding.
            let limit = f64::from(u32::try_from(max_age).unwrap_or(u32::MAX)) + self.leeway;
            let is_recent = |at: f64| (-self.leeway..=limit).contains(&(now.seconds() - at));
            if !authenticated_at.is_some_and(is_recent) {
                return Err(self.failure("\"auth_time\" is missing, or the user authenticated too long ago"));
            }
        }
        Ok(())
    }

    fn failure(&self, detail: &str) -> Failure {
        Failure {
            acr_values: Some(self.acr_values.join(" ")).filter(|values| !values.is_empty()),
            max_age: self.max_age,
            ..Failure::with_detail("insufficient_user_authentication", detail.to_owned())
        }
    }
}
