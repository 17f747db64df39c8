"""What is measured: groups of contenders for the same work, each made right before it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import children
import libraries
import proof_makers
import scope_questions
from contender import WALL, Batch, Child, Contender, Fresh, Over, Repeated, Threads
from rounds import Group
from samples import AUDIENCE, ISSUER, Samples

import watchword

ALGORITHMS = ("EdDSA", "ES256", "RS256", "PS256", "ES384")
#: Those whose keys are prepared.
PREPARED = ALGORITHMS[:4]
#: The tokens of a batch.
BATCH = 512
#: The libraries that are also measured on several threads and in loops over a batch.
RIVALS = ("PyJWT", "joserfc")


def verify(algorithm: str) -> Group:
    """Whole verifications, one after the other, on one thread."""
    samples = Samples(algorithm)
    able, unable = libraries.contestants(samples, [*libraries.WHOLE, libraries.BARE])
    return Group({name: Over(call, inputs) for name, (call, inputs) in able.items()}, unable)


def around(algorithm: str) -> Group:
    """A whole verification, and the kernel's signature alone over the same tokens: the difference is all the rest."""
    samples = Samples(algorithm)
    signature = Child([children.kernel_binaries()["signature_alone"]], samples.task())
    call = libraries.watchword_verify(samples)
    return Group({"signature alone": signature, "Watchword": Over(call, samples.tokens)})


def cached(algorithm: str) -> Group:
    """Tokens that were verified before, and fast-jwt, which remembers them as well. Everyone by the wall clock."""
    samples = Samples(algorithm)
    fast_jwt = [children.node(), str(children.node_package() / "fast_jwt.mjs")]
    able, unable = libraries.contestants(samples, [libraries.CACHED, "Watchword Verifier"])
    contenders: dict[str, Contender] = {name: Over(call, inputs, WALL) for name, (call, inputs) in able.items()}
    for name, size in (("fast-jwt, token cached", 1000), ("fast-jwt", False)):
        contenders[name] = Child(fast_jwt, {**samples.task(), "cached": size})
    return Group(contenders, unable, stretch=0.25)


def threads(algorithm: str) -> Group:
    """The same calls by one thread and by two."""
    able, unable = libraries.contestants(Samples(algorithm), ["Watchword", *RIVALS, libraries.BARE])
    contenders: dict[str, Contender] = {
        f"{name}, {_threads(number)}": Threads(*able[name], number) for name in able for number in (1, 2)
    }
    # A tenth of a second: this is about threads that are at work, not about waking them.
    return Group(contenders, unable, stretch=25)


def batch(algorithm: str) -> Group:
    """Many tokens: ``verify_many`` on one thread and on two, and loops."""
    samples = Samples(algorithm, BATCH)
    able, unable = libraries.contestants(samples, ["Watchword", *RIVALS])
    contenders: dict[str, Contender] = {
        f"Watchword verify_many, {_threads(number)}": Batch(verify_many(samples, number), samples.tokens)
        for number in (1, 2)
    }
    for name, (call, tokens) in able.items():
        contenders[f"{name} in a loop"] = Over(call, tokens, WALL)
        contenders[f"{name} in two threads' loops"] = Threads(call, tokens, 2)
    return Group(contenders, unable, stretch=5)


def verify_many(samples: Samples, number: int) -> Callable[[Sequence[str]], None]:
    """Verifies a batch on so many threads, and counts the good ones."""
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
    """A question about so many scopes, and the package whose grammar it is."""
    group = Group({})
    for library in scope_questions.QUESTIONS[question][1]:
        try:
            group.contenders[library] = Repeated(scope_questions.ask(question, number, library))
        except ImportError:
            group.unable[library] = "is not installed"
    return group


def proofs(algorithm: proof_makers.Algorithm) -> Group:
    """DPoP proofs by keys that were never seen, and by one that was."""
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


def groups(*, node: bool, kernel: bool) -> Iterator[tuple[str, str, Make]]:
    """What is done, with what, and what makes the group.

    What needs Node.js or the compiled benches is there only where it is wanted.
    """
    for algorithm in ALGORITHMS:
        yield "verify", algorithm, partial(verify, algorithm)
    if kernel:
        for algorithm in PREPARED:
            yield "around the signature", algorithm, partial(around, algorithm)
    if node:
        for algorithm in PREPARED:
            yield "cached token", algorithm, partial(cached, algorithm)
    for algorithm in PREPARED:
        yield "threads", algorithm, partial(threads, algorithm)
    for algorithm in PREPARED:
        yield f"batch of {BATCH}", algorithm, partial(batch, algorithm)
    for question in scope_questions.QUESTIONS:
        for number in scope_questions.NUMBERS:
            yield f"scopes, {question}", f"{number} held", partial(scopes, question, number)
    yield "DPoP proof", "ES256", partial(proofs, "ES256")
    yield "DPoP proof", "EdDSA", partial(proofs, "EdDSA")
