// What a server in C does: open a gate, check requests, confirm a proof, close. Arguments: the configuration, the file with
// the request's token, and one with its proof or "-". Prints what the server would do.

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "watchword.h"

static size_t read_file(const char *path, char *buffer, size_t capacity) {
  FILE *file = fopen(path, "rb");
  assert(file);
  size_t length = fread(buffer, 1, capacity, file);
  fclose(file);
  return length;
}

static watchword_header header(const char *name, const char *value, size_t value_length) {
  watchword_header made = {name, strlen(name), value, value_length};
  return made;
}

static void print(const watchword_decision *decision, int32_t result) {
  size_t count, length;
  const char *code = watchword_decision_text(decision, WATCHWORD_TEXT_CODE, &length);
  printf("%d %u %.*s\n", result, watchword_decision_status(decision), (int)length, code);
  const size_t *removed = watchword_decision_removed(decision, &count);
  for (size_t at = 0; at < count; at++) printf("removed %zu\n", removed[at]);
  const watchword_header *headers = watchword_decision_headers(decision, &count);
  for (size_t at = 0; at < count; at++)
    printf("%.*s: %.*s\n", (int)headers[at].name_length, headers[at].name, (int)headers[at].value_length,
           headers[at].value);
  const char *body = watchword_decision_text(decision, WATCHWORD_TEXT_BODY, &length);
  printf("%.*s\n", (int)length, body);
}

int main(int argc, char **argv) {
  static char authorization[20000], proof[20000], reason[200];
  assert(argc == 4);
  assert(watchword_abi_version() == WATCHWORD_ABI_VERSION);
  assert(strlen(watchword_version()) > 0);

  assert(!watchword_gate_open("/nonexistent/gate.toml", NULL, WATCHWORD_REPLAY_MEMORY, reason, sizeof reason));
  assert(strstr(reason, "/nonexistent/gate.toml"));
  watchword_gate *gate = watchword_gate_open(argv[1], NULL, WATCHWORD_REPLAY_EXTERNAL, reason, sizeof reason);
  if (!gate) {
    fprintf(stderr, "%s\n", reason);
    return 1;
  }
  assert(watchword_gate_records_proofs(gate) == 1);
  int32_t is_error;
  assert(watchword_gate_next_event(gate, &is_error, reason, sizeof reason) == 0);

  int proven = strcmp(argv[3], "-") != 0;
  int written = sprintf(authorization, proven ? "DPoP " : "Bearer ");
  size_t length = written + read_file(argv[2], authorization + written, sizeof authorization - written);
  size_t proof_length = proven ? read_file(argv[3], proof, sizeof proof) : 0;
  watchword_header headers[] = {
      header("Host", "api.example", 11),
      header("X_Auth.Sub", "forged", 6),
      header("Authorization", authorization, length),
      header("DPoP", proof, proof_length),
  };
  watchword_request request = {
      .size = sizeof request,
      .method = "GET", .method_length = 3,
      .target = "/orders/1", .target_length = 9,
      .headers = headers, .header_count = proven ? 4 : 3,
  };
  watchword_decision *decision = watchword_decision_new();
  assert(decision);
  assert(watchword_decision_status(decision) == 500);
  for (int turn = 0; turn < 3; turn++) {
    int32_t result = watchword_check(gate, &request, decision);
    if (result == WATCHWORD_UNCONFIRMED) {
      assert(watchword_decision_status(decision) == 503);
      assert(watchword_decision_replay_expires(decision) > 1e9);
      size_t id_length;
      watchword_decision_text(decision, WATCHWORD_TEXT_REPLAY_ID, &id_length);
      assert(id_length == 64);
      assert(watchword_confirm(decision, 99) == WATCHWORD_INVALID);
      static const uint32_t usages[] = {WATCHWORD_FIRST_USE, WATCHWORD_REPLAYED, WATCHWORD_TOO_MANY};
      result = watchword_confirm(decision, usages[turn]);
      // A decision is confirmed once.
      assert(watchword_confirm(decision, WATCHWORD_FIRST_USE) == WATCHWORD_INVALID);
    }
    print(decision, result);
  }

  // In a child, which has no thread that reads the files, nothing is allowed.
  pid_t child = fork();
  if (child == 0) {
    int32_t result = watchword_check(gate, &request, decision);
    // Not _exit(0): for valgrind, a forked child loses what belongs to its parent's threads.
    if (result == WATCHWORD_REJECTED && watchword_decision_status(decision) == 500) execlp("true", "true", (char *)NULL);
    _exit(1);
  }
  int status;
  assert(waitpid(child, &status, 0) == child && status == 0);

  // Decisions outlive their gate.
  watchword_gate_close(gate);
  assert(watchword_decision_status(decision) > 0);
  watchword_decision_free(decision);
  return 0;
}
