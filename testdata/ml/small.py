"""Writes small.csv: 340 made-up changes to servers, of which half went
wrong. The truth: more packages at once are worse, databases are bad on weekends,
web servers on weekdays. python3 small.py > small.csv"""
import random

r = random.Random(3)
print("packages,role,weekend,memory,label,split")
for i in range(340):
    packages, role, weekend = r.randint(1, 40), r.choice(["web", "database"]), r.randint(0, 1)
    memory = "" if r.random() < 0.1 else r.choice([512, 1024, 2048, 4096])
    bad = (role == "database") == (weekend == 1)
    p = 0.4 + packages / 70 if bad else packages / 90
    print(packages, role, weekend, memory, int(r.random() < p), "test" if i >= 300 else "train", sep=",")
