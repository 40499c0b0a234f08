"""The curves of the made-up evaluation: reliability with its noise, gain and lift."""

import numpy as np

from tests.training.reporting.sample_replay import CONTENDERS


def curves():
    def reliable(who, shift):
        predicted = [0.008, 0.017, 0.029, 0.044, 0.064, 0.089, 0.124, 0.181, 0.292, 0.561]
        noise = np.random.default_rng(5).normal(0, 0.006, 10)
        return {
            "name": who["name"],
            "kind": who["kind"],
            "points": [
                {
                    "predicted": at,
                    "observed": round(float(max(0.0, at * shift + draw)), 4),
                    "share": 0.1,
                    "low": round(max(0.0, at - 0.006 - 0.06 * at), 4),
                    "high": round(at + 0.006 + 0.06 * at, 4),
                }
                for at, draw in zip(predicted, noise, strict=True)
            ],
            "error": 0.0094,
            "noise_95": 0.0131,
        }

    def gained(who, bend):
        return {
            **{key: who[key] for key in ("name", "kind")},
            "points": [{"called": at / 200, "found": round(1 - (1 - at / 200) ** bend, 4)} for at in range(201)],
        }

    def lifted(who, called):
        return {
            **{key: who[key] for key in ("name", "kind")},
            "points": [
                {
                    "share": share,
                    "lift": round(1 + called * by, 2),
                    "low": round(1 + called * by * 0.9, 2),
                    "high": round(1 + called * by * 1.1, 2),
                }
                for share, by in ((0.01, 8.4), (0.05, 6.6), (0.1, 5.1), (0.2, 3.4), (0.3, 2.3), (0.5, 1.2))
            ],
        }

    ranked = [(who, numbers) for who, numbers in CONTENDERS if who["name"] != "base rate"]
    return {
        "reliability": [
            reliable(CONTENDERS[0][0], 1.02),
            reliable(CONTENDERS[1][0], 0.93),
            reliable(CONTENDERS[3][0], 0.98),
        ],
        "gain": [gained(who, auc / (1 - auc)) for who, (auc, _, _) in ranked],
        "lift": [lifted(who, called) for who, (_, _, called) in ranked[:4]],
    }
