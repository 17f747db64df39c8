"""Edwards25519 by the book (RFC 8032 section 5.1), slow and plain: to make keys and signatures no library makes."""

from __future__ import annotations

import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)

Point = tuple[int, int]
IDENTITY: Point = (0, 1)


def add(a: Point, b: Point) -> Point:
    product = D * a[0] * b[0] * a[1] * b[1]
    x = (a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, P)
    y = (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P)
    return x % P, y % P


def times(scalar: int, point: Point) -> Point:
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def root_of_x(y: int) -> int | None:
    """Return the even x of the point with this y, ``None`` if there is none."""
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * SQRT_M1 % P
    if (x * x - square) % P:
        return None
    return x if x % 2 == 0 else P - x


def encode(point: Point) -> bytes:
    return (point[1] | (point[0] & 1) << 255).to_bytes(32, "little")


def decode(encoded: bytes) -> Point | None:
    """Return the point, also of a non-canonical encoding; ``None`` if there is none."""
    number = int.from_bytes(encoded, "little")
    y = (number & (1 << 255) - 1) % P
    x = root_of_x(y)
    if x is None:
        return None
    return (P - x if number >> 255 and x else x), y


def defect_of(encoded: bytes) -> str | None:
    """What is wrong with a public key, as the reason of a rejected key; ``None`` for a good one."""
    if int.from_bytes(encoded, "little") & (1 << 255) - 1 >= P:
        return "non_canonical_point"
    point = decode(encoded)
    if point is None:
        return "point_not_on_curve"
    # A sign on x = 0 is not canonical either; such a point has small order, and is rejected as that.
    return "small_order_point" if times(8, point) == IDENTITY else None


_BASE_Y = 4 * pow(5, -1, P) % P
BASE: Point = (root_of_x(_BASE_Y) or 0, _BASE_Y)

#: The eight points of order 1, 2, 4 and 8; the second generates the others.
_GENERATOR = times(
    L, decode(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")) or IDENTITY
)
TORSION: tuple[Point, ...] = tuple(times(index, _GENERATOR) for index in range(8))

#: Encodings of small-order points that are not canonical: y + p, and a sign on x = 0.
NON_CANONICAL = tuple(
    bytes.fromhex(text)
    for text in (
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    )
)


def secret_scalar(seed: bytes) -> int:
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    return int.from_bytes(digest, "little")


def challenge(r: bytes, a: bytes, message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(r + a + message).digest(), "little") % L


def sign_with(r_scalar: int, r: bytes, secret: int, public: bytes, message: bytes) -> bytes:
    """The signature (R, S) with an encoding of R and of A that the caller chooses: S = r + k·a."""
    s = (r_scalar + challenge(r, public, message) * secret) % L
    return r + s.to_bytes(32, "little")
