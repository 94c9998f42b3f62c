"""What training costs, end to end through train.py, against its ceiling and against lightly's published loop.

    python -m benchmarks.training                 all that the machine can, to benchmarks/results/training[-gpu].json
    python -m benchmarks.training --only 32px     or 224px, views, parts
    python -m benchmarks.training --small         tiny: does it run

On a CPU: one thread, CPU seconds. On a GPU: seconds, every processor for the loaders. Every measurement of a training
is a process of its own; the order is drawn anew in every round.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import torch

from benchmarks.harness import RESULTS, ratio, save
from benchmarks.parts import parts
from benchmarks.steps import Setting, ceiling, lightly_example, seconds, stable_pretraining_example
from benchmarks.views import views
from qscore.application.speed import has_bf16_units
from qscore.encoders import Encoder, save_encoder

NAME = "training"
ROOT = Path(__file__).parent.parent
ON_GPU = {"32px": Setting(32, "resnet18", 512, 16_384), "224px": Setting(224, "resnet50", 256, 4_096)}
ON_CPU = {"32px": Setting(32, "resnet18", 128, 512)}
SMALL = {"32px": Setting(32, "resnet10", 4, 8)}
THREADS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
LIGHTLY_WORKERS, HELPED_WORKERS = 8, 15


def main() -> None:
    """Measures one variant if told so by itself; else everything asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="tiny sizes: does it run")
    parser.add_argument("--only", nargs="+", default=["32px", "224px", "views", "parts"])
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--setting", type=json.loads, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if asked.one:
        print(json.dumps(measured_here(asked.one, Setting(**asked.setting), device, steps=asked.rounds)))
        return
    result = f"{NAME}-gpu" if device.type == "cuda" else NAME
    file = asked.out / f"{result}.json"
    found = json.loads(file.read_text()) if file.is_file() else {}
    found.pop("machine", None)
    settings = SMALL if asked.small else ON_GPU if device.type == "cuda" else ON_CPU
    for name in asked.only:
        if name in settings:
            found[name] = end_to_end(settings[name], asked.rounds, device)
        elif name == "views":
            found[name] = views(device, asked.rounds, small=asked.small)
        elif name == "parts":
            found[name] = parts(device, asked.rounds, small=asked.small)
        print(name, json.dumps(found.get(name, "not measured: this machine has no GPU")), flush=True)
        save(result, {"small": asked.small, **found}, asked.out)


def end_to_end(s: Setting, rounds: int, device: torch.device) -> dict[str, object]:
    """Returns images a second of every variant, in every round, and the ratios to train.py's."""
    with tempfile.TemporaryDirectory() as folder:
        data, start = Path(folder) / "noise.npz", Path(folder) / "start"
        np.savez(data, images=s.images(), labels=np.arange(s.num_images) % 2)
        torch.manual_seed(0)
        save_encoder(Encoder(s.architecture, stem=s.stem), start)
        names = {"train.py": lambda: through_train(s, data, start, device)}
        names |= {name: (lambda name=name: in_a_process(name, s)) for name in variants(device)}
        order, rates = random.Random(0), {name: [] for name in names}
        for _ in range(rounds):
            for name in order.sample(list(names), len(names)):
                rates[name].append(names[name]())
                print(name, rates[name][-1], flush=True)
    times = {name: [1 / rate["images_per_second"] for rate in each] for name, each in rates.items()}
    return {
        "setting": vars(s),
        "images_per_second": {name: median(rate["images_per_second"] for rate in each) for name, each in rates.items()},
        "peak_gb": {name: max(rate["peak_gb"] for rate in each) for name, each in rates.items()},
        "train.py over": {name: ratio(times, name, "train.py") for name in names if name != "train.py"},
    }


def variants(device: torch.device) -> dict[str, Callable[[Setting], Callable[[int], None]]]:
    """Returns everything but train.py, by name."""
    bf16, gpu = has_bf16_units(device), device.type == "cuda"
    workers = (LIGHTLY_WORKERS, HELPED_WORKERS) if gpu else (0, 0)
    others = {}
    if find_spec("stable_pretraining"):  # installed apart: it asks for much
        others["stable-pretraining"] = lambda s: stable_pretraining_example(s, device, bf16=bf16, workers=workers[1])
    return {
        "ceiling": lambda s: ceiling(s, device, bf16=bf16, compiled=False),
        **({"ceiling, compiled": lambda s: ceiling(s, device, bf16=bf16, compiled=True)} if gpu else {}),
        "lightly": lambda s: lightly_example(s, device, helped=False, workers=workers[0]),
        "lightly, helped": lambda s: lightly_example(s, device, helped=bf16, workers=workers[1]),
        **others,
    }


def in_a_process(name: str, s: Setting) -> dict[str, float]:
    """Returns what `measured_here` finds in a fresh process."""
    steps = max(2, s.num_images // s.batch_size)
    command = [sys.executable, "-m", "benchmarks.training", "--one", name, "--setting", json.dumps(vars(s))]
    done = subprocess.run([*command, "--rounds", str(steps)], cwd=ROOT, capture_output=True, text=True, env=_env())
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def measured_here(name: str, s: Setting, device: torch.device, *, steps: int) -> dict[str, float]:
    """Returns images a second over some steps after two untimed ones, and the peak of the memory, in 10^9 bytes."""
    run = variants(device)[name](s)
    run(2)
    took = seconds(lambda: run(steps), device)
    return {"images_per_second": steps * s.batch_size / took, "peak_gb": _peak_gb(device)}


def through_train(s: Setting, data: Path, start: Path, device: torch.device) -> dict[str, float]:
    """Returns images a second of a fine-tuning with the regularizer, by train.py.

    On a GPU as the run reports it. On a CPU from the CPU seconds of a run of three epochs less those of one.
    """
    with tempfile.TemporaryDirectory() as folder:
        if device.type == "cuda":
            facts = _train(s, data, start, Path(folder) / "run", epochs=4)[1]
            return {"images_per_second": facts["images_per_second"], "peak_gb": facts["peak_memory_gb"]}
        (short, first), (long, last) = (_train(s, data, start, Path(folder) / str(n), epochs=n) for n in (1, 3))
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        num_images = (last["num_steps"] - first["num_steps"]) * s.batch_size  # some images are held out
        return {"images_per_second": num_images / (long - short), "peak_gb": used.ru_maxrss / 1e6}


def _train(s: Setting, data: Path, start: Path, run: Path, *, epochs: int) -> tuple[float, dict[str, float]]:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    options = [f"data={data}", f"data.image_size={s.size}", f"checkpoint={start}", f"batch_size={s.batch_size}"]
    options += [
        f"epochs={epochs}",
        "evaluation=none",
        "guard=none",
        "logger=csv",
        "epsilon=2",
        "head_warmup_steps=0",
        f"run_dir={run}",
    ]
    options += [f"pretrained_dir={run}-origin", "num_workers=0" if not torch.cuda.is_available() else ""]
    before = used()
    command = [sys.executable, str(ROOT / "train.py"), *filter(None, options)]
    done = subprocess.run(command, cwd=run.parent, capture_output=True, text=True, env=_env())
    if done.returncode:
        raise RuntimeError(done.stderr)
    return used() - before, json.loads((run / "run.json").read_text())


def _env() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **({} if torch.cuda.is_available() else THREADS)}


def _peak_gb(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    main()
