"""Personal invitations to missions and organisations, from the staff's spreadsheets to logged deliveries."""
