#!/usr/bin/env python3
"""What the programs do with bad input: one clear line and the exit code for it, or a user left out with the reason.

    bad_input_test.py FOLDER_OF_PROGRAMS FOLDER_OF_BUNDLED_FILES [TEST...]
"""
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROGRAMS, BUNDLED = (Path(argument).resolve() for argument in sys.argv[1:3])
LIBC = ctypes.CDLL(None)
PROSE = "".join(
    f"On day {day} I measured bed {day % 7} again, and {day * day} seeds had come up since the rain of last week.\n\n"
    for day in range(300)
)
QUICK = ["--steps", "1", "--contenders", "norm", "--experiments", "E9", "--eval-tokens", "32", "--context", "32",
         "--validation-tokens", "16", "--pilots", "1", "--most-rates", "3"]  # fmt: skip


def no_privileges():
    """Root reads what it likes; without these two capabilities it has to keep to permissions like everyone."""
    if os.geteuid() == 0:
        drop_from_bounding_set, dac_override, dac_read_search = 24, 1, 2  # linux/prctl.h, linux/capability.h
        for capability in [dac_override, dac_read_search]:
            LIBC.prctl(drop_from_bounding_set, capability, 0, 0, 0)


class BadInput(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.users = self.folder / "users"
        self.write("good/notes.txt", PROSE)

    def write(self, path, text):
        path = self.users / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_program(self, program, *arguments, **options):
        done = subprocess.run(
            [PROGRAMS / program, *map(str, arguments)], capture_output=True, text=True, cwd=self.folder, timeout=300, **options
        )
        self.assertGreaterEqual(done.returncode, 0, f"died of a signal: {done.stderr}")
        return done

    def shootout(self, *arguments, users=None, out="out", **options):
        where = ["--users", users or self.users, "--out", out]
        return self.run_program("tern-shootout", "run", *where, *QUICK, *arguments, **options)

    def assert_fails(self, done, code, *words):
        self.assertEqual(done.returncode, code, done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)

    def base(self, replace=None, by=None, size=None):
        """The bundled base with one thing wrong."""
        data = (BUNDLED / "base.gguf").read_bytes()
        if replace:
            self.assertEqual(len(replace), len(by))
            self.assertEqual(data.count(replace), 1)
            data = data.replace(replace, by)
        path = self.folder / "broken.gguf"
        path.write_bytes(data[:size])
        return path

    def left_out(self):
        """Why users were left out, by name; the good one never is."""
        done = self.shootout(preexec_fn=no_privileges)
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads((self.folder / "out/results.json").read_text())
        self.assertEqual([user["name"] for user in results["users"]], ["good"])
        return {user["name"]: user["reason"] for user in results["left_out"]}

    def test_users_left_out(self):
        (self.users / "empty").mkdir()
        self.write("one-word/a.txt", "hello")
        self.write("short/a.txt", PROSE[:2600])  # enough to train, nothing left to hold out
        self.write("picture/a.png", "\x00\x01")
        self.write("secret/a.txt", PROSE)
        (self.users / "secret").chmod(0)
        self.addCleanup((self.users / "secret").chmod, 0o700)
        why = self.left_out()
        self.assertEqual(set(why), {"empty", "one-word", "short", "picture", "secret"})
        self.assertIn("expected at least one text, got none", why["empty"])
        self.assertIn("training text: expected at least", why["one-word"])
        self.assertIn("expected at least", why["short"])
        self.assertIn("got none", why["picture"])
        self.assertIn("Permission denied", why["secret"])

    def test_names_that_are_not_utf8(self):  # F06, F07a
        folder = os.path.join(os.fsencode(self.users), b"Jos\xe9")
        os.mkdir(folder)
        for name, words in [(b"a.md", PROSE), (b"x.b\xe9\x1b", "x")]:
            with open(os.path.join(folder, name), "w") as file:
                file.write(words)
        done = self.shootout()
        self.assertEqual(done.returncode, 0, done.stderr)
        results = json.loads((self.folder / "out/results.json").read_text())
        self.assertEqual([user["name"] for user in results["users"]], ["Jos\ufffd", "good"])
        self.assertIn("Jos\ufffd", (self.folder / "out/report.html").read_text())
        read = self.run_program("tern-shootout", "read", "--users", self.users, "--json")
        (skipped,) = json.loads(read.stdout)["users"][0]["skipped"]
        self.assertEqual(skipped["file"], "x.b\ufffd\ufffd")

    def test_link_to_itself(self):  # F05b
        (self.users / "loop").symlink_to("loop")
        self.assertEqual(self.left_out(), {"loop": "a link that leads to no folder"})

    def test_escapes_of_a_base(self):  # G01
        done = self.shootout("--base", self.base(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0l\x1b]0\x07"))
        self.assert_fails(done, 1, "general.architecture", "\\x1b]0\\x07")
        self.assertNotIn("\x1b", done.stderr)

    def test_damaged_results(self):  # R07
        out = self.folder / "out"
        self.assertEqual(self.shootout().returncode, 0)
        whole = json.loads((out / "results.json").read_text())
        for damage in [lambda r: r.pop("protocol"), lambda r: r.update(protocol=0), lambda r: r.pop("users"),
                       lambda r: r.update(cells=3), lambda r: r["cells"][0].clear()]:  # fmt: skip
            results = json.loads(json.dumps(whole))
            damage(results)
            (out / "results.json").write_text(json.dumps(results))
            self.assert_fails(self.run_program("tern-shootout", "report", "--out", "out"), 1, "results.json", "expected", "got")
        for text in ["", "{", "[1]"]:
            (out / "results.json").write_text(text)
            self.assert_fails(self.run_program("tern-shootout", "report", "--out", "out"), 1, "results.json", "expected")

    def test_git(self):
        def git(*arguments, author="Ana"):
            who = ["-c", f"user.name={author}", "-c", f"user.email={author.lower()}@example.org"]
            subprocess.run(["git", "-C", self.users / "ana", *who, *arguments], check=True, capture_output=True)

        self.write("ana/a.py", "other_word()\n")
        git("init", "-q")
        git("add", ".")
        git("commit", "-qm", "OTHERWORD", author="Ben")
        self.write("ana/a.py", "  other_word()\nown_word()\n")
        git("commit", "-qam", PROSE[:3000])
        trap = self.folder / "trap"
        for key in ["core.pager", "core.fsmonitor", "diff.external", "gpg.program", "diff.x.textconv", "diff.x.command"]:
            git("config", key, f"touch {trap}; cat")
        git("config", "log.showSignature", "true")
        (self.users / "ana/.git/info/attributes").write_text("* diff=x\n")
        read = ["tern-shootout", "read", "--users", self.users, "--user", "ana", "--text", "--git"]
        done = self.run_program(*read)
        self.assertIn("git: the words of Ana", done.stdout)
        self.assertIn("own_word", done.stdout)
        self.assertNotIn("OTHERWORD", done.stdout)
        self.assertNotIn("other_word", done.stdout)
        self.assertFalse(trap.exists())
        shutil.rmtree(self.users / "ana/.git/objects")
        self.assertIn("git in", self.run_program(*read).stdout)
        self.assertIn("expected the program git, found none", self.run_program(*read, env={"PATH": ""}).stdout)

    def test_nobody_left(self):
        shutil.rmtree(self.users / "good")
        self.write("one-word/a.txt", "hello")
        self.assert_fails(self.shootout(), 2, "--users", "found no usable one", "one-word: training text: expected")

    def test_users_missing(self):
        self.assert_fails(self.shootout(users="nowhere"), 1, "nowhere", "No such file")

    def test_truncated_base(self):
        size = (BUNDLED / "base.gguf").stat().st_size
        for cut in [0, 3, 24, 1000, size // 2, size - 1]:
            self.assert_fails(self.shootout("--base", self.base(size=cut)), 1, "broken.gguf", "at byte")

    def test_base_of_another_architecture(self):
        done = self.shootout("--base", self.base(b"\x05\0\0\0\0\0\0\0llama", b"\x05\0\0\0\0\0\0\0mamba"))
        self.assert_fails(done, 1, "broken.gguf", "general.architecture", "llama", "mamba")

    def test_base_without_tokenizer(self):
        done = self.shootout("--base", self.base(b"tokenizer.ggml.tokens", b"tokenizer.ggml.nothing"[:21]))
        self.assert_fails(done, 1, "broken.gguf", "tokenizer.ggml.tokens")

    def test_unknown_base(self):
        self.assert_fails(self.shootout("--base", "smollm3"), 2, "smollm3", "expected")

    def test_adapter_for_another_base(self):
        self.assertEqual(self.shootout().returncode, 0)
        (adapter,) = (self.folder / "out/adapters").iterdir()
        text = self.users / "good/notes.txt"
        ask = ["--text", text, "--context", "64", "--adapter"]
        right = self.run_program("tern-perplexity", "--base", "bundled", *ask, adapter)
        self.assertEqual(right.returncode, 0, right.stderr)
        wrong = self.run_program("tern-perplexity", "--base", BUNDLED / "base-ternary.gguf", *ask, adapter)
        self.assert_fails(wrong, 1, adapter.name, "base", "expected", "got")
        broken = self.folder / "broken.adapter"
        data = bytearray(adapter.read_bytes())
        data[len(data) // 2] ^= 1
        broken.write_bytes(data)
        self.assert_fails(self.run_program("tern-perplexity", "--base", "bundled", *ask, broken), 1, "broken.adapter")

    def test_disk_full(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        self.assert_fails(self.shootout(preexec_fn=limit), 1, "out/")
        self.assertEqual(self.shootout().returncode, 0)  # and goes on once there is room

    def test_out_is_no_folder(self):
        self.assert_fails(self.shootout(out="/dev/null/x"), 1, "/dev/null/x")

    def test_wrong_usage(self):
        for option, value, expected in [
            ("--budget", "0", "--budget: expected a time above 0"),
            ("--budget", "soon", "--budget: expected a time above 0"),
            ("--steps", "0", "--steps: expected at least 1, got 0"),
            ("--steps", "many", "--steps"),
            ("--seeds", "-1", "seeds: expected at least 1, got -1"),
            ("--threads", "0", "threads: expected at least 1, got 0"),
            ("--pilots", "0", "pilots: expected at least 1, got 0"),
            ("--most-rates", "2", "most_rates: expected at least 3, got 2"),
            ("--context", "0", "context: expected at least"),
            ("--contenders", "lora-r9", "expected one of norm, lora-r4"),
            ("--contenders", "norm,norm", "contenders: expected each once, got 'norm' twice"),
            ("--champion", "lora-r9", "--champion: expected one of --contenders, got 'lora-r9'"),
            ("--rivals", "lora-r9", "roles.rivals: expected some of norm, lora-r4"),
            ("--experiments", "E99", "experiments: expected some of E1"),
            ("--protocol", "mine", "--protocol: expected standard or catalogue, got 'mine'"),
            ("--precision", "half", "--precision: expected full or mixed, got 'half'"),
            ("--gradients", "bf16", "--gradients: expected float, int8 or int8-stochastic, got 'bf16'"),
            ("--weights", "bronze", "--weights: expected one of stored, f32, f32_tiled, bf16, q8, q4, q4_0, ternary, got 'bronze'"),
        ]:
            with self.subTest(option=option, value=value):
                done = self.run_program("tern-shootout", "run", "--users", self.users, "--out", "out", option, value)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(expected, done.stderr)
        self.assert_fails(self.run_program("tern-shootout"), 2, "command: expected run, plan, read, report, tasks or task, got none")
        self.assert_fails(self.run_program("tern-shootout", "plann"), 2, "plann")

    def test_populations(self):
        for words in ["chitchat:0", "chitchat:x", "chitchat:-1", "strangers", "people"]:
            done = self.run_program("tern-shootout", "run", "--population", words, *QUICK, "--out", "out")
            self.assert_fails(done, 2, f"--population: expected personas, people=DIR or chitchat:N, got '{words}'")
        read = self.run_program("tern-shootout", "read", "--population", f"people={self.users}", "--population", "personas")
        self.assertEqual(read.returncode, 0, read.stderr)
        self.assertIn("good: ", read.stdout)
        self.assertIn("chatter: ", read.stdout)

    def test_one_persons_own_folder(self):
        self.assert_fails(self.shootout(users=self.users / "good"), 2, "give the folder above it")

    def test_demonstration_is_of_the_bundled_base_alone(self):
        def steps(*arguments):
            plan = self.run_program("tern-shootout", "plan", "--contenders", "norm", "--out", "out", *arguments)
            self.assertEqual(plan.returncode, 0, plan.stderr)
            return plan.stdout.split(" s a step, ")[1].split()[0]

        self.assertEqual(steps(), steps("--base", "bundled"))
        self.assertEqual(steps("--steps", "7"), "7")

    def test_instruction_set(self):
        done = self.shootout(env={**os.environ, "TERN_ISA": "abacus"})
        self.assert_fails(done, 2, "TERN_ISA: expected one of reference, portable", "got 'abacus'")
        done = self.shootout(env={**os.environ, "TERN_ISA": "portable"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads((self.folder / "out/results.json").read_text())["tern"]["isa"], "portable")

    def test_perplexity(self):
        text = self.folder / "text.txt"
        for content, words in [(b"", ["text.txt"]), (b"a", ["text.txt"]), (b"good \xff bad", ["text.txt", "5"])]:
            with self.subTest(content=content):
                text.write_bytes(content)
                self.assert_fails(self.run_program("tern-perplexity", "--base", "bundled", "--text", text), 1, *words)
        self.assert_fails(self.run_program("tern-perplexity", "--base", "bundled", "--text", "gone.txt"), 1, "gone.txt")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
