#!/usr/bin/env python3
"""Writes a small corpus of invented files for the fuzz targets of texts: seeds.py FOLDER makes FOLDER/<target>/..."""
import json
import sys
from pathlib import Path

TELEGRAM = {
    "name": "Oskar", "type": "personal_chat", "id": 7,
    "messages": [
        {"id": 1, "type": "message", "from": "Mirela", "from_id": "user7001", "text": "hello"},
        {"id": 2, "type": "message", "from": "Oskar", "from_id": 7002, "text": ["see ", {"type": "link", "text": "x.org"}]},
        {"id": 3, "type": "service", "action": "phone_call", "text": ""},
    ],
}  # fmt: skip
SLACK = [
    {"type": "message", "user": "U1", "ts": "1.2", "text": "hi <@U2|ana> <!here|@here> &amp; <https://x.org|x>"},
    {"type": "message", "subtype": "channel_join", "user": "U2", "ts": "1.3", "text": "joined"},
]
MAIL = """From ana@example.org Mon Jan  1 10:00:00 2024
From: =?iso-8859-1?q?Ana_R=FAiz?= <ana@example.org>
To: oskar@example.org
Delivered-To: ana@example.org
Subject: Re: the garden
Content-Type: {type}
Content-Transfer-Encoding: {encoding}

{body}

"""
MAILS = [
    ("text/plain; charset=utf-8; format=flowed; delsp=yes", "8bit", "Mine, http:// \nexample.org\n\nOn 1 Jan, Oskar wrote:\n> theirs"),
    ("text/html; charset=gb2312", "quoted-printable", "<p>caf&eacute; =D6=EC</p><blockquote>theirs</blockquote>"),
    ("text/plain; charset=unknown-8bit", "base64", "TWluZSDpCg=="),
    ("multipart/alternative; boundary=b", "7bit",
     "--b\nContent-Type: text/plain\n\nmine\n-----Original Message-----\nFrom: x\nSent: y\n\ntheirs\n--b\n"
     "Content-Type: text/html\n\n<div class=gmail_quote>x</div>\n--b--"),
]  # fmt: skip
SEEDS = {
    "mbox": ["".join(MAIL.format(type=t, encoding=e, body=b) for t, e, b in MAILS)]
    + [MAIL.format(type=t, encoding=e, body=b) for t, e, b in MAILS],
    "chat": [
        "12/31/20, 9:41 PM - Ana: hello\n12/31/20, 9:42 PM - Oskar: <Media omitted>\nsecond line\n",
        "[31.12.20, 21:41:05] Ana: \u200eimage omitted\n[31.12.20, 21:41:06] Oskar: hi <This message was edited>\n",
        "2023. 12. 31. 오후 9:41 - Ana: IMG-1.jpg (file attached)\ncaption\n2023. 12. 31. 오후 9:42 - Oskar: x\n",
        "[2024-05-07T16:09:17Z] <ana> hello\n[2024-05-07T16:09:18Z] <@oskar> Ana_Ruiz: hi\n",
        json.dumps(TELEGRAM),
        json.dumps({"personal_information": {"user_id": 7001}, "chats": {"about": "x", "list": [TELEGRAM, TELEGRAM]}}),
        json.dumps(SLACK),
        '{"text": "one \\ud83d"}\n{"text": 3}\n{broken\n',
    ],
    "subtitles": [
        "1\n00:00:01,000 --> 00:00:02,000\n<i>one</i>\n\ntwo\n2\n00:00:02,000 --> 00:00:03,000\n{\\an8}three\n",
        "WEBVTT\n\nSTYLE\n::cue {}\n\nname\n00:01.000 --> 00:02.000 line:0\n<v Ana>R&eacute;sum&#233; &amp; b\n\nNOTE x\n",
        "[Script Info]\nTitle: x\n\n[Events]\nFormat: Layer, Start, End, Style, Text\n"
        "Dialogue: 0,0:00:01.00,0:00:02.00,Default,{\\i1}one,\\Ntwo\n",
    ],
    "html": [
        "<p>a</p><blockquote>b<blockquote>c</blockquote>d</blockquote>e<table><tr><td>x<td>y</table>",
        "<ul><li>a<li>b</ul><pre>x\n  y</pre><!-- <p>x --> b<script>1<2</script><img alt='x > y'>&notit;&#128512;",
        "<div class='x gmail_signature'>sig</div><svg><title>x</title></svg><template><p>y</template>",
    ],
    "git_log": [
        "commit {0} 1700000000\nAna <ana@example.org>\n    Say why\n\n    And how.\n\ndiff --git a/a.py b/a.py\n"
        "--- a/a.py\n+++ b/a.py\n@@ -0,0 +1,2 @@\n+one\n+++ two\n-old\n\\ No newline at end of file\n".format("0" * 40),
    ],
}  # fmt: skip

for target, seeds in SEEDS.items():
    folder = Path(sys.argv[1]) / target
    folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(seeds):
        (folder / f"seed-{number}").write_text(text)
