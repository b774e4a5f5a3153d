"""The words with which people and tools answer, in English, French, Spanish and Arabic, as patterns for folded text."""

from __future__ import annotations

import re

from mailer.model import Attendance, fold


def _words(listed: str) -> list[str]:
    return [word.strip() for word in re.split(r"[;\n]", listed) if word.strip()]


def _any_of(listed: str, *more: str) -> re.Pattern[str]:
    """A pattern for any of the listed words and phrases; one that ends in `*` is a beginning, `more` are patterns."""
    options = (re.escape(fold(word)) + (r"\w*" if word.endswith("*") else "") for word in _words(listed))
    return re.compile("|".join((rf"\b(?:{'|'.join(options)})\b", *more)))


# What means something only where it stands alone: states of registration tools, single letters, short words.
STATES = {
    fold(word): attendance
    for attendance, listed in {
        Attendance.ATTENDING: """
            approved; pending; pending approval; pendingapproval; approval pending; awaiting approval
            waiting for approval; to be approved; approuvé; approuvée; aprobado; aprobada
            en attente d'approbation; pendiente de aprobación
            complete; completed; registered; confirmed; accepted; checked in
            coming; going; present; y; true; présent; présente; presente; حاضر""",
        Attendance.REGRETS: "refunded; refund; withdrawn; cancelled; canceled; n; false",
        Attendance.REVIEW: "denied; rejected; not approved; not confirmed; not decided; not paid; n/a",
    }.items()
    for word in _words(listed)
}

# What lists of all who were invited say of those who have not answered: neither a no nor an answer.
UNANSWERED = frozenset(
    fold(word)
    for word in _words(
        """
        no response; no reply; no answer; no rsvp; not responded; not replied; not answered; has not responded
        has not replied; has not answered; did not respond; did not reply; did not answer; unanswered; no reply received
        no response received; no answer received; awaiting response; awaiting reply; visited
        pas de réponse; sans réponse; aucune réponse; pas répondu; n'a pas répondu; en attente de réponse
        sin respuesta; sin responder; no respondió; no ha respondido; no contestó
        لم يرد; لم ترد; لا رد; بلا رد; بدون رد
        """
    )
)

# Where one statement ends and another begins; after some of these words it is another that takes something back.
_CONTRARY = r"but|however|though|although|except|mais|cependant|toutefois|pero|sino|aunque|sin embargo|لكن|ولكن"
CONTRARY = re.compile(rf"\b(?:{_CONTRARY})\b")
BETWEEN = re.compile(rf"[,;:.!?()\[\]\n/|–—،؛؟]|\s-\s|\b(?:{_CONTRARY}|and|et|y)\b")

# "Sí" typed without its accent is also the French and Spanish "if": a yes alone, or before a verb that promises.
SPANISH_YES = re.compile(
    r"\bsí\b|^\s*si\s*$|\bsi (?=(?:asistir|participar|estar|acudir|ir)(?:é|e|emos)\b|confirmo\b|acepto\b)"
)

YES = _any_of(
    """
    yes; yep; yeah; attend; attends; attending; accept; accepts; accepted; accepting; i confirm; we confirm; confirmed
    participate; participates; participating; join; joins; joining; will come; am coming; i'm coming; are coming
    am going; i'm going; will be there; will be present; count me in
    oui; j'assiste; assisterai; assisterons; assistera; je participe; participerai; participerons; participera
    serai présent; serai présente; serons présents; serons présentes; sera présent; sera présente; viendrai
    viendrons; viendra; j'accepte; accepte; acceptons; je confirme; nous confirmons
    asisto; asistiré; asistiremos; asistirá; participo; participaré; participaremos; participará; iré; iremos
    acudiré; acudiremos; acudirá; estaré presente; estaremos presentes; estará presente; acepto; aceptamos
    confirmo; confirmamos
    نعم; سأحضر; سنحضر; سيحضر; ستحضر; سأشارك; سنشارك; سيشارك; ستشارك; أوافق; موافق; موافقة; أقبل; نقبل; أؤكد; نؤكد
    سأكون حاضرا; بكل سرور
    """
)
NO = _any_of(
    """
    no; not; nope; cannot; cant; wont; unable; never; nobody; none; neither; nor; declin*; absent; absence
    unavailable; impossible; prevent*; refus*; withdraw*; cancel*; unwilling; too busy; remove*
    non; ne; pas; ni; jamais; aucun*; empêch*; indisponible*; absente; annul*; l'impossibilité
    nunca; tampoco; imposible; imposibilidad; ausente; rechaz*; impid*; impedid*; nadie
    لا; لن; لم; ليس; لست; غير; كلا; أعتذر; نعتذر; يعتذر; تعتذر; اعتذار; الاعتذار; تعذر; يتعذر; أرفض; بدون
    """,
    r"\w+n't\b",
    r"\bn'",
)
# A no where nothing else is said; beside a yes it may be about anything.
SORRY = _any_of(
    """
    regret*; sorry; apolog*; unfortunately; alas; excuse*
    hélas; malheureusement; désolé*; navré*
    lament*; desafortunadamente; disculp*
    للأسف; مع الأسف; نأسف; آسف; آسفة; يؤسفني; يؤسفنا
    """
)
PERHAPS = _any_of(
    """
    if; unless; maybe; perhaps; possibl*; probabl*; tentativ*; unsure; sure; uncertain; certain; doubtful; unlikely
    likely; hope; hopefully; hoping; try; trying; might; could; would have; depend*; undecided; decide*; yet; later
    still; know; tbc; tbd; to be confirmed; not confirmed; revert; subject to; provided that; instead of; rather than
    difficult*; without; no problem*; no objection*; no worries; no doubt
    pas de problème*; aucun problème; pas d'objection; aucune objection; sans problème; no hay problema*
    si; s'il; s'ils; sans; difficile*; peut être; éventuellement; sous réserve; encore; à confirmer; sais
    j'espère; essaierai; incertain*
    quizá; quizás; tal vez; sin; difícil; posible*; aún; todavía; por confirmar; no sé; seguro; segura
    espero; intentaré; a menos que
    ربما; إذا; قد; لعل; متأكد; متأكدة; أحاول; سأحاول
    """,
    r"(?<!\d )\bmay\b(?! \d)",  # but not the month
)
WAITING = _any_of(
    """
    waiting list; wait list; waitlist; waitlisted; waiting; standby
    liste d'attente; lista de espera; قائمة الانتظار
    """
)
IN_PERSON = _any_of(
    """
    in person; on site; onsite; physical*; face to face; in the room; at the venue
    présentiel; sur place; en personne; en salle
    presencial; presencialmente; en persona; en sala
    حضوريا; حضوري; حضورية; شخصيا
    """
)
ONLINE = _any_of(
    """
    online; on line; virtual*; remote*; zoom; webex; on teams; via teams; ms teams; microsoft teams; videoconference
    video conference; video link; webcast; livestream
    en ligne; à distance; distanciel; virtuel*; visio; visioconférence
    en línea; a distancia; remoto; remota; videoconferencia
    عبر الإنترنت; على الإنترنت; عن بعد; افتراضيا; افتراضي; افتراضية; اونلاين
    """,
    r"^teams$",  # whose teams, where more is said
)
# Somebody who comes in another's place; whose answer it is, a person must say.
INSTEAD = _any_of(
    """
    deput*; colleague*; alternate; represented; representing; represents; will represent; delegate; delegates; behalf
    instead; replac*; in my place
    adjoint*; collègue*; représenté; représentée; représentera; remplac*; à ma place
    coleg*; representado; representada; representará; sustitu*; reemplaz*; en mi lugar
    زميل*; نائب*; يمثل*; سيمثل*; بدلا
    """
)
