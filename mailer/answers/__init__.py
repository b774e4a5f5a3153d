"""RSVPs: exports of other tools -> responses -> answers, matched to invitations with a reason for each."""
