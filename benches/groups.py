"""What is measured: groups of contenders for the same work, each made immediately before it runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import children
import libraries
import proof_makers
import scope_questions
from contender import WALL, Batch, Child, Contender, Fresh, Over, Repeated, Threads
from rounds import Group
from samples import AUDIENCE, ISSUER, Samples, samples

import watchword

ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256", "ES384")
#: Those whose keys are prepared.
PREPARED = ALGORITHMS[:4]
#: The tokens of a batch.
BATCH = 512
#: The libraries that are also measured on several threads and in loops over a batch.
RIVALS = ("PyJWT", "joserfc")


def verify(algorithm: str, tokens: int) -> Group:
    """Whole verifications, one after the other, on one thread."""
    given = samples(algorithm, tokens)
    able, unable = libraries.contestants(given, [*libraries.WHOLE, libraries.BARE])
    return Group({name: Over(call, inputs) for name, (call, inputs) in able.items()}, unable)


def around(algorithm: str, tokens: int) -> Group:
    """A whole verification, and the kernel's signature alone over the same tokens: the difference is all the rest."""
    given = samples(algorithm, tokens)
    signature = Child([children.kernel_binaries()["signature_alone"]], given.task())
    call = libraries.watchword_verify(given)
    return Group({"signature alone": signature, "Watchword": Over(call, given.tokens)})


def cached(algorithm: str, tokens: int) -> Group:
    """Tokens that were verified before; fast-jwt has a token cache too. All contenders by the wall clock."""
    given = samples(algorithm, tokens)
    fast_jwt = [children.node(), str(children.node_package() / "fast_jwt.mjs")]
    able, unable = libraries.contestants(given, [libraries.CACHED, "Watchword Verifier"])
    contenders: dict[str, Contender] = {name: Over(call, inputs, WALL) for name, (call, inputs) in able.items()}
    for name, size in (("fast-jwt, token cached", 2 * tokens), ("fast-jwt", False)):
        contenders[name] = Child(fast_jwt, {**given.task(), "cached": size})
    return Group(contenders, unable, stretch=0.25)


def threads(algorithm: str, tokens: int) -> Group:
    """The same calls by one thread and by two."""
    able, unable = libraries.contestants(samples(algorithm, tokens), ["Watchword", *RIVALS, libraries.BARE])
    contenders: dict[str, Contender] = {
        f"{name}, {_threads(number)}": Threads(*able[name], number) for name in able for number in (1, 2)
    }
    # A tenth of a second: the cost of waking threads is not what this measures.
    return Group(contenders, unable, stretch=25)


def batch(algorithm: str, tokens: int) -> Group:
    """Many tokens: ``verify_many`` on one thread and on two, and loops."""
    given = samples(algorithm, tokens)
    able, unable = libraries.contestants(given, ["Watchword", *RIVALS])
    contenders: dict[str, Contender] = {
        f"Watchword verify_many, {_threads(number)}": Batch(verify_many(given, number), given.tokens, BATCH)
        for number in (1, 2)
    }
    for name, (call, inputs) in able.items():
        contenders[f"{name} in a loop"] = Over(call, inputs, WALL)
        contenders[f"{name} in two threads' loops"] = Threads(call, inputs, 2)
    return Group(contenders, unable, stretch=5)


def verify_many(samples: Samples, number: int) -> Callable[[Sequence[str]], None]:
    """Return a function that verifies a batch on ``number`` threads and counts the valid tokens."""
    keys = libraries.key_set(samples)
    policy = watchword.Policy(issuer=ISSUER, audience=AUDIENCE, algorithms=[samples.algorithm])
    bad = samples.forged + samples.unfit
    found = watchword.verify_many([*samples.tokens, *bad], keys, policy, threads=number)
    assert found.valid_count == len(samples.tokens), "verify_many accepts a bad token: the comparison is void"

    def work(tokens: Sequence[str]) -> None:
        result = watchword.verify_many(tokens, keys, policy, threads=number)
        assert result.valid_count == len(tokens)

    return work


def _threads(number: int) -> str:
    return "1 thread" if number == 1 else f"{number} threads"


def scopes(question: str, number: int) -> Group:
    """One question about ``number`` scopes, for Watchword and for the package that defined the grammar."""
    group = Group({})
    for library in scope_questions.QUESTIONS[question][1]:
        try:
            group.contenders[library] = Repeated(scope_questions.ask(question, number, library))
        except ImportError:
            group.unable[library] = "is not installed"
    return group


def proofs(algorithm: proof_makers.Algorithm) -> Group:
    """DPoP proofs by new keys, and by one known key."""
    group = Group({})
    for name in proof_makers.VERIFIERS:
        try:
            call = proof_makers.verifier(name, algorithm)
        except libraries.CannotError as reason:
            group.unable[name] = str(reason)
            continue
        group.contenders[f"{name}, key never seen"] = Fresh(call, proof_makers.by_new_keys(algorithm))
        group.contenders[f"{name}, key seen before"] = Fresh(call, proof_makers.by_one_key(algorithm))
    return group


Make = Callable[[], Group]


def groups(*, node: bool, kernel: bool, tokens: int) -> Iterator[tuple[str, str, Make]]:
    """Yield the work, the input's name and the function that makes the group, with ``tokens`` distinct tokens each.

    ``node`` and ``kernel`` include the groups that need Node.js or the compiled benchmarks.
    """
    for algorithm in ALGORITHMS:
        yield "verify", algorithm, partial(verify, algorithm, tokens)
    if kernel:
        for algorithm in PREPARED:
            yield "around the signature", algorithm, partial(around, algorithm, tokens)
    if node:
        for algorithm in PREPARED:
            yield "cached token", algorithm, partial(cached, algorithm, tokens)
    for algorithm in PREPARED:
        yield "threads", algorithm, partial(threads, algorithm, tokens)
    for algorithm in PREPARED:
        yield f"batch of {BATCH}", algorithm, partial(batch, algorithm, tokens)
    for question in scope_questions.QUESTIONS:
        for number in scope_questions.NUMBERS:
            yield f"scopes, {question}", f"{number} held", partial(scopes, question, number)
    yield "DPoP proof", "ES256", partial(proofs, "ES256")
    yield "DPoP proof", "EdDSA", partial(proofs, "EdDSA")
