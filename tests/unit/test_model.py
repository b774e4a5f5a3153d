"""The nouns of the field: what may be made of text, and what their equality and their words mean."""

import string

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from mailer.errors import ANOTHER_ROW, InputRefused, Problem, SheetRow
from mailer.model import Address, Contact, Envelope, Mailbox, Party, PartyKind, Place, Reference, Reply, fold

# --- comparing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("  Côte d’Ivoire ", "cote d'ivoire"),
        ("CÔTE D'IVOIRE", "cote d'ivoire"),
        ("Türkiye", "turkiye"),
        ("Straße", "strasse"),
        ("São Tomé-et-Príncipe", "sao tome et principe"),
        ("Iran (Islamic Republic of)", "iran islamic republic of"),
        ("Mail\u00a0/\u200bE‑mail", "mail e mail"),
        ("ﬁrst Ｎａｍｅ", "first name"),
        ("البعثة", "البعثة"),
        ("…", ""),
    ],
)
def test_what_reads_alike_folds_alike(text: str, folded: str) -> None:
    """Accents, case, apostrophes, blanks and punctuation make no difference when names are compared."""
    assert fold(text) == folded


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    """A folded name may be folded again."""
    assert fold(fold(text)) == fold(text)


def test_look_alike_states_stay_apart() -> None:
    """Folding never makes one state of another."""
    names = ["Niger", "Nigeria", "Guinea", "Guinea-Bissau", "Austria", "Australia", "Sudan", "South Sudan", "Dominica"]
    assert len({Party(name, PartyKind.MISSION).key for name in names}) == len(names)


# --- addresses --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "local", "domain", "ascii_form"),
    [
        ("ada@example.org", "ada", "example.org", "ada@example.org"),
        ("  Ada.Example+un@EXAMPLE.ORG\n", "Ada.Example+un", "example.org", "Ada.Example+un@example.org"),
        ("o'neil@example.org", "o'neil", "example.org", "o'neil@example.org"),
        ("info@bücher.example.org", "info", "bücher.example.org", "info@xn--bcher-kva.example.org"),
        ("info@xn--bcher-kva.example.org", "info", "bücher.example.org", "info@xn--bcher-kva.example.org"),
        ("zoë@example.org", "zoë", "example.org", "zoë@example.org"),
    ],
)
def test_addresses(text: str, local: str, domain: str, ascii_form: str) -> None:
    """The local part is kept as typed, the domain in lower case and readable; the wire gets A-labels."""
    address = Address.parse(text)
    assert (address.local, address.domain, address.ascii) == (local, domain, ascii_form)
    assert str(address) == f"{local}@{domain}"
    assert address.needs_smtputf8 == (not local.isascii())


@pytest.mark.parametrize(
    "text",
    [
        "", "ada", "@example.org", "ada@", "ada@example", "ada@@example.org", "ada example@example.org",
        "ada@exa mple.org", ".ada@example.org", "ada.@example.org", "a..b@example.org", "ada@example..org",
        "ada@-example.org", "Ada <ada@example.org>", "ada@example.org;bo@example.org", "ada@example.org\nBcc: x",
        "ada@localhost", "ada@[127.0.0.1]", "a@" + "b." * 130 + "org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_reason(text: str) -> None:
    """Nothing else becomes an address, and the reason is a sentence."""
    with pytest.raises(ValueError, match=r"\w+ .*\w"):
        Address.parse(text)


LOCAL = st.text(string.ascii_letters + string.digits + "_+-.'", min_size=1, max_size=70)
LABEL = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=20)


@given(LOCAL, st.lists(LABEL, min_size=1, max_size=3).map(".".join))
def test_the_short_way_agrees_with_the_long_one(local: str, domain: str) -> None:
    """Plain addresses skip part of the library's work, and are accepted, refused and spelled just as by it."""
    text = f"{local}@{domain}.example.org"
    try:
        expected = validate_email(text, check_deliverability=False)
    except EmailNotValidError:
        with pytest.raises(ValueError, match=r"."):
            Address.parse(text)
    else:
        assert str(Address.parse(text)) == expected.normalized


def test_addresses_are_compared_without_case() -> None:
    """Two spellings of one mailbox are the same recipient, though the local part is sent as typed."""
    assert Address.parse("Ada@Example.org").key == Address.parse("ada@example.ORG").key
    assert Address.parse("Ada@Example.org") != Address.parse("ada@example.org")


@pytest.mark.parametrize("name", ["Ada\r\nBcc: x", "Ada\n", "Ada\x00", "Ada\x85", "Ada\u2028", "\udce9"])
def test_a_display_name_is_one_line(name: str) -> None:
    """No name of a sheet can begin another header."""
    with pytest.raises(ValueError, match="cannot hold line breaks or control characters"):
        Mailbox(Address("ada", "example.org"), name)


def test_an_envelope_has_a_recipient() -> None:
    """A message to nobody cannot be made."""
    with pytest.raises(ValueError, match="at least one recipient"):
        Envelope(Address("ada", "example.org"), ())


# --- contacts ---------------------------------------------------------------------------------------------------------


def test_a_contact_without_a_name_is_a_mailbox() -> None:
    """An office's address has nobody behind it; any part of a name makes it a person's."""
    place = Place("missions.xlsx", "Contacts", 7, {"rank": ("F", "Diplomatic rank")})
    party, address = Party("Atlantis", PartyKind.MISSION), Address("office", "example.org")
    assert Contact(place, party, address).is_mailbox
    assert not Contact(place, party, address, last_name="Example").is_mailbox
    assert (place.cell("rank"), place.cell("title")) == ("F7", None)


# --- references -------------------------------------------------------------------------------------------------------

REFERENCES = st.binary(min_size=8, max_size=32).map(Reference.from_digest)
SIGN = st.sampled_from(Reference.ALPHABET)


def test_no_sign_is_read_as_another() -> None:
    """The signs leave out what people confuse."""
    assert len(set(Reference.ALPHABET)) == len(Reference.ALPHABET) == 31
    assert not set("01OIL") & set(Reference.ALPHABET)


@given(REFERENCES, st.sampled_from(["-", "", " ", " - ", "‑", "–"]), st.booleans())
def test_a_reference_is_read_however_it_is_typed(reference: Reference, between: str, upper: bool) -> None:
    """In two groups or in one, in any case, with any dash or blank."""
    first, second = str(reference).split("-")
    assert (len(first), len(second)) == (5, 5)
    typed = f" {first}{between}{second} "
    assert Reference.parse(typed if upper else typed.lower()) == reference


@given(REFERENCES, st.integers(0, 9), SIGN)
def test_one_wrong_sign_is_noticed(reference: Reference, place: int, sign: str) -> None:
    """A reference with one sign mistyped is never taken for another's."""
    typed = reference.signs[:place] + sign + reference.signs[place + 1 :]
    if typed != reference.signs:
        with pytest.raises(ValueError, match="mistyped or comes from elsewhere"):
            Reference.parse(typed)


@given(REFERENCES, st.integers(0, 9), st.integers(0, 9))
def test_two_signs_exchanged_are_noticed(reference: Reference, one: int, other: int) -> None:
    """Nor is one with any two signs in each other's place."""
    signs = list(reference.signs)
    signs[one], signs[other] = signs[other], signs[one]
    if (typed := "".join(signs)) != reference.signs:
        with pytest.raises(ValueError, match="mistyped or comes from elsewhere"):
            Reference.parse(typed)


@given(st.text())
def test_any_other_text_is_no_reference(text: str) -> None:
    """Text is refused in words unless it is ten of the signs with the right check sign."""
    try:
        assert len(Reference.parse(text).signs) == 10
    except ValueError as exc:
        assert "is not a reference of ours" in str(exc)


def test_a_reference_is_the_digests_own() -> None:
    """The same digest always gives the same reference, so that nothing need be kept to know it."""
    assert Reference.from_digest(b"01234567") == Reference.from_digest(b"01234567 and more")
    assert Reference.from_digest(b"01234567") != Reference.from_digest(b"01234568")


# --- problems and replies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("no relay is set", "Set SMTP_HOST."), "no relay is set. Set SMTP_HOST."),
        (
            Problem(
                "is no address", "Correct it.", file="missions.xlsx", sheet="Contacts", cell="E7", row=7, value="ada@"
            ),
            "missions.xlsx, sheet Contacts, cell E7: is no address ('ada@'). Correct it.",
        ),
        (
            Problem("is empty", "Fill it in.", file="missions.csv", row=7, column="Email", value=""),
            "missions.csv, row 7: is empty. Fill it in.",
        ),
        (
            Problem("cannot be read", "Save it again.", file="missions.xlsx"),
            "missions.xlsx: cannot be read. Save it again.",
        ),
        (
            Problem(
                f"stands in {ANOTHER_ROW} too", "Delete one.", row=7, value="a@b", other=SheetRow("a.ods", "Li", 9)
            ),
            "row 7: stands in a.ods, sheet Li, row 9 too ('a@b'). Delete one.",
        ),
    ],
)
def test_a_problem_says_where_what_and_what_to_do(problem: Problem, text: str) -> None:
    """One line names file, sheet and cell as far as they are known, what stands there, and the mend."""
    assert str(problem) == text


def test_a_problem_has_every_key_for_machines() -> None:
    """The JSON form has the keys of the contract, null where there is no such place."""
    problem = Problem("is odd", "Look at it.", "warning", "missions.xlsx", row=3)
    assert list(problem.as_json()) == [
        "file", "sheet", "cell", "row", "column", "value", "severity", "problem", "fix"
    ]  # fmt: skip
    assert problem.as_json()["cell"] is None
    assert not problem.is_error


def test_a_refusal_tells_every_problem() -> None:
    """The text of a refusal has a line for each of its problems."""
    refusal = InputRefused(Problem(f"fault {n}", "Mend it.") for n in range(3))
    assert str(refusal).splitlines() == ["fault 0. Mend it.", "fault 1. Mend it.", "fault 2. Mend it."]
    assert len(refusal.problems) == 3


def test_a_reply_is_one_line() -> None:
    """The relay's words are shown as it said them, code first."""
    assert Reply(550, "5.1.1", ("5.1.1 No such user", "5.1.1 Bye")).text == "550 5.1.1 No such user 5.1.1 Bye"
    assert Reply(250, None, ("",)).text == "250"
