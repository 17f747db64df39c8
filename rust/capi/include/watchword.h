// libwatchword: verify the tokens of requests, and decide on them, without asking a server.
//
// docs/nginx.md describes it. This file is generated from rust/capi/src:
//     WATCHWORD_UPDATE_HEADER=1 cargo test -p watchword-capi --test header
//
// A handle is a pointer to a structure that only the library reads. A gate may be used by any number of threads at once,
// a decision by one at a time. No function unwinds: an internal failure is the decision internal_error, status 500. Texts
// are bytes with a length, and not NUL-terminated, unless it is said. What the library returns a pointer to is its own.

#ifndef WATCHWORD_H
#define WATCHWORD_H

#include <stddef.h>
#include <stdint.h>

// The version of this interface. Functions and constants may be added to a version; nothing of it changes or goes away.
#define WATCHWORD_ABI_VERSION 1

// The proof was not used before, and the replay store has recorded it.
#define WATCHWORD_FIRST_USE 1

// The proof was used before.
#define WATCHWORD_REPLAYED 2

// The replay store could not be asked, or has no room.
#define WATCHWORD_UNAVAILABLE 3

// The key of the proof has used up its share of the replay store.
#define WATCHWORD_TOO_MANY 4

// Used proofs are kept in the memory of this gate, which no other process sees, unless the configuration keeps none.
#define WATCHWORD_REPLAY_MEMORY 0

// Used proofs are kept in a store of the caller: a request with a proof is WATCHWORD_UNCONFIRMED, unless the configuration
// keeps none.
#define WATCHWORD_REPLAY_EXTERNAL 1

// The request may pass, with the headers of the decision in place of those to be removed.
#define WATCHWORD_ALLOWED 1

// The request must not pass: answer it with the status, the headers and the body of the decision.
#define WATCHWORD_REJECTED 2

// The request may pass if its DPoP proof was not used before: ask the replay store, and call watchword_confirm.
#define WATCHWORD_UNCONFIRMED 3

// The caller made a mistake: a handle is NULL, a pointer is NULL although its length is not 0, the size of a structure is
// not that of this version, or there is nothing to confirm. The request must not pass.
#define WATCHWORD_INVALID -1

// The stable name of the error, or "allowed".
#define WATCHWORD_TEXT_CODE 1

// Why the request is rejected, in one sentence for the operator: for a log, not for the client. It never has a token.
#define WATCHWORD_TEXT_DETAIL 2

// The body of the answer to a request that is rejected: a problem document (RFC 9457).
#define WATCHWORD_TEXT_BODY 3

// The id of an unconfirmed proof: 64 hexadecimal digits.
#define WATCHWORD_TEXT_REPLAY_ID 4

// The name of the route.
#define WATCHWORD_TEXT_ROUTE 5

// The issuer of the token.
#define WATCHWORD_TEXT_ISSUER 6

// The decision on a request. It is made once, and filled again by every check.
typedef struct watchword_decision watchword_decision;

// A gate: rules, keys, and a thread that reads their files again when they change.
typedef struct watchword_gate watchword_gate;

// A header: of a request, its name and its value as they were received, without the line's end; of a decision, as they are
// to be sent or set.
typedef struct watchword_header {
  // The name.
  const char *name;
  // The length of the name, in bytes.
  size_t name_length;
  // The value.
  const char *value;
  // The length of the value, in bytes.
  size_t value_length;
} watchword_header;

// A request. The library reads it during watchword_check, and keeps no pointer to it.
typedef struct watchword_request {
  // sizeof(watchword_request), by which the library knows the version of this structure.
  size_t size;
  // The method, as it was received.
  const char *method;
  // The length of the method, in bytes.
  size_t method_length;
  // Path and query, as they were received: neither decoded nor normalised.
  const char *target;
  // The length of the target, in bytes.
  size_t target_length;
  // All headers, in the order in which they were received, each occurrence of a repeated one for itself. One that is left
  // out may be one that has to be removed.
  const struct watchword_header *headers;
  // The number of headers.
  size_t header_count;
  // The certificate in DER that the client presented on this connection and that the server verified; NULL: none.
  const char *certificate;
  // The length of the certificate, in bytes.
  size_t certificate_length;
} watchword_request;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// Returns WATCHWORD_ABI_VERSION of the library that is loaded, to be compared with that of the header.
uint32_t watchword_abi_version(void);

// Returns the version of the library, a NUL-terminated text that is never freed.
const char *watchword_version(void);

// Returns a decision that can be used for any number of requests, one after the other, and that watchword_decision_free
// frees. Until it is filled, it is internal_error. NULL if it could not be made.
struct watchword_decision *watchword_decision_new(void);

// Frees a decision, and everything that was read of it. NULL: does nothing.
//
// # Safety
// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread uses it.
void watchword_decision_free(struct watchword_decision *decision);

// Tells a decision that is WATCHWORD_UNCONFIRMED what the replay store says of its proof: WATCHWORD_FIRST_USE and so on.
//
// Returns WATCHWORD_ALLOWED or WATCHWORD_REJECTED, and WATCHWORD_INVALID, without changing the decision, if it is not
// unconfirmed, or if `usage` is none of these. What was read of the decision before becomes invalid, but for the headers to
// be removed.
//
// # Safety
// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread uses it.
int32_t watchword_confirm(struct watchword_decision *decision,
                          uint32_t usage);

// Returns the status of the answer, 200 if the request is allowed. NULL, and a decision that is not filled: 500.
//
// # Safety
// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
uint32_t watchword_decision_status(const struct watchword_decision *decision);

// Returns the headers of a decision, and their number: if the request is allowed, the identity headers, all of which have
// to be set in the request, also those without a value; otherwise those of the answer. The decision owns them: they stay
// valid until it is filled, confirmed or freed. NULL: none.
//
// # Safety
// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
// Unless it is NULL, `count` points to a number that may be written.
const struct watchword_header *watchword_decision_headers(const struct watchword_decision *decision,
                                                          size_t *count);

// Returns which headers of the request must not reach the application, and their number: their positions in the array that
// watchword_check was given. They concern a request that is allowed or unconfirmed. The decision owns the positions: they
// stay valid until it is filled or freed. NULL: none.
//
// # Safety
// As for watchword_decision_headers.
const size_t *watchword_decision_removed(const struct watchword_decision *decision,
                                         size_t *count);

// Returns a text of a decision, WATCHWORD_TEXT_CODE and so on, and its length in bytes. It is not NUL-terminated. The
// decision owns it: it stays valid until the decision is filled, confirmed or freed. Empty if there is none.
//
// # Safety
// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
// Unless it is NULL, `length` points to a number that may be written.
const char *watchword_decision_text(const struct watchword_decision *decision,
                                    uint32_t which,
                                    size_t *length);

// Returns when a replay store may forget the unconfirmed proof, in Unix seconds; 0 if there is none.
//
// # Safety
// Unless it is NULL, `decision` comes from watchword_decision_new, is not freed yet, and no other thread changes it.
double watchword_decision_replay_expires(const struct watchword_decision *decision);

// Opens a gate.
//
// `config_file` is the path of its configuration, TOML, or JSON if the name ends in .json; `keys_file` that of the file
// with keys that "watchword keys sync" writes, or NULL; both are NUL-terminated. `replay` is WATCHWORD_REPLAY_MEMORY or
// WATCHWORD_REPLAY_EXTERNAL. A thread reads the files again when they change: those that are invalid are rejected, and the
// old ones stay in use.
//
// Returns the gate, which watchword_gate_close frees, or NULL, with the reason in `error`: a NUL-terminated text, cut to
// `error_capacity` bytes. `error` may be NULL.
//
// A process that forks, as nginx does, opens the gate in the child: the thread does not survive a fork, and a gate of
// another process rejects every request.
//
// # Safety
// Unless they are NULL, `config_file` and `keys_file` are NUL-terminated, and `error` points to `error_capacity` bytes.
struct watchword_gate *watchword_gate_open(const char *config_file,
                                           const char *keys_file,
                                           uint32_t replay,
                                           char *error,
                                           size_t error_capacity);

// Closes a gate and frees it. Its decisions stay usable. NULL: does nothing.
//
// # Safety
// Unless it is NULL, `gate` comes from watchword_gate_open, is not closed yet, and no other thread uses it.
void watchword_gate_close(struct watchword_gate *gate);

// Returns 1 if requests may have proofs whose use has to be recorded, so that a server of several processes needs
// WATCHWORD_REPLAY_EXTERNAL; otherwise 0: the configuration keeps no used proofs, or no route verifies tokens. Another
// configuration may change that. NULL: 1.
//
// # Safety
// Unless it is NULL, `gate` comes from watchword_gate_open and is not closed yet.
int32_t watchword_gate_records_proofs(const struct watchword_gate *gate);

// Takes the oldest message for the operator that was not taken yet: files that changed are in use, or invalid, or the keys
// of an issuer have become unavailable. It is copied into `buffer`, NUL-terminated and cut to `capacity` bytes, and
// `is_error` is set to 1 if something has to be repaired, otherwise to 0.
//
// Returns the length of the whole message, 0 if there is none. The last 64 are kept. `buffer` and `is_error` may be NULL.
//
// # Safety
// Unless they are NULL, `gate` comes from watchword_gate_open and is not closed yet, `buffer` points to `capacity` bytes,
// and `is_error` to a number that may be written.
size_t watchword_gate_next_event(const struct watchword_gate *gate,
                                 int32_t *is_error,
                                 char *buffer,
                                 size_t capacity);

// Checks a request, and fills the decision.
//
// Returns WATCHWORD_ALLOWED, WATCHWORD_REJECTED or WATCHWORD_UNCONFIRMED, or WATCHWORD_INVALID if the caller made a mistake;
// the decision, unless it is NULL, is then internal_error. Only WATCHWORD_ALLOWED lets the request pass: before that, remove
// the headers that watchword_decision_removed names, and set those of watchword_decision_headers. What was read of the
// decision before becomes invalid.
//
// # Safety
// Unless they are NULL, `gate` comes from watchword_gate_open and is not closed yet, `request` points to a request whose
// pointers have as many bytes or headers as the lengths beside them say, and `decision` comes from watchword_decision_new,
// is not freed yet, and no other thread uses it.
int32_t watchword_check(const struct watchword_gate *gate,
                        const struct watchword_request *request,
                        struct watchword_decision *decision);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* WATCHWORD_H */
