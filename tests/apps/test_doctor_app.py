"""vaetl-doctor as a user runs it: test_doctor_app.py FOLDER/OF/PROGRAMS"""
import os

import support
from support import Case


class Doctor(Case):
    def findings(self, *arguments, **environment):
        told = self.json_of("vaetl-doctor", *arguments, environment=self.environment | environment)
        return {each["what"]: each for each in told["findings"]}

    def test_tells_what_is_here(self):
        before = sorted(self.folder.rglob("*"))
        told = self.json_of("vaetl-doctor", "--seconds", "0")
        self.assertNotIn("speeds", told)
        whats = [each["what"] for each in told["findings"]]
        self.assertEqual(whats, ["libraries", "processor", "threads", "load", "memory", "CUDA", "disk", "data", "zoo"])
        self.assertTrue(all(each["found"] for each in told["findings"]))
        self.assertEqual(sorted(self.folder.rglob("*")), before, "it changes nothing")

    def test_advises(self):
        self.assertEqual(self.findings("--seconds", "0", VAETL_DATA="/tmp")["data"]["advice"].find("not there"), -1)
        absent = self.findings("--seconds", "0", VAETL_DATA="/tmp:/nowhere/at/all", VAETL_ZOO="/nor/here")
        self.assertEqual(absent["data"]["advice"], "VAETL_DATA names folders that are not there: /nowhere/at/all")
        self.assertEqual(absent["zoo"]["advice"], "VAETL_ZOO names folders that are not there: /nor/here")
        self.assertEqual(self.findings("--seconds", "0", "--threads", "1")["threads"]["advice"], "")
        many = self.findings("--seconds", "0", "--threads", str(4 * os.cpu_count()))
        self.assertIn(f"--threads {os.cpu_count()}", many["threads"]["advice"])
        self.assertIn("OMP_WAIT_POLICY", self.findings("--seconds", "0", OMP_WAIT_POLICY="passive")["threads"]["advice"])
        text = self.run_program("vaetl-doctor", "--seconds", "0", environment=self.environment | {"VAETL_ZOO": "/nor/here"})
        self.assertTrue(text.stdout.splitlines()[-1].startswith("! "), text.stdout)

    def test_measures_speed(self):
        speeds = self.json_of("vaetl-doctor", "--seconds", "1", "--threads", "2")["speeds"]
        self.assertEqual({each["threads"] for each in speeds}, {1, 2})
        limits = [each for each in speeds if each["unit"] == "GFLOP/s"]
        trainings = [each for each in speeds if each["unit"] == "examples/s"]
        self.assertEqual((len(limits), len(trainings)), (2, 4))
        self.assertTrue(all(each["value"] > 0 for each in speeds))
        # A product's limit is measured beside disturbances: a training may seem to pass it a little, never by far.
        self.assertTrue(all(0 < each["share_of_limit"] < 3 for each in trainings), trainings)

    def test_what_is_none(self):
        self.refused(2, ["--seconds", "0 to 600"], "vaetl-doctor", "--seconds", "-1")
        self.refused(2, ["options alone", "me"], "vaetl-doctor", "me")


if __name__ == "__main__":
    support.main()
