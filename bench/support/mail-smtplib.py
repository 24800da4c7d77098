"""Sends mails over one connection, as Python's own library does it: port, count, file with text and HTML as JSON."""

import json
import smtplib
import sys
from email.message import EmailMessage

port, count, path = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
with open(path, encoding="utf-8") as file:
    content = json.load(file)
with smtplib.SMTP("127.0.0.1", port) as server:
    for number in range(count):
        message = EmailMessage()
        message["From"] = "shop@test.example"
        message["To"] = f"reader{number}@test.example"
        message["Subject"] = content["subject"]
        message["Message-ID"] = f"<python-{number}@test.example>"
        message.set_content(content["text"])
        message.add_alternative(content["html"], subtype="html")
        server.send_message(message)
