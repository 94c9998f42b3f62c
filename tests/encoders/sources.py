"""Checkpoints as their sources write them: key names, nesting and what else lies inside, around real networks.

Each function takes the encoder and a teacher, and returns what the source hands to `torch.save`.
"""

import argparse
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Content = Mapping[str, Any]
DIM = 512


def under(prefix: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return OrderedDict((prefix + name, tensor.clone()) for name, tensor in state.items())


def trunk(network: nn.Module) -> dict[str, Tensor]:
    return OrderedDict(
        (name, tensor) for name, tensor in network.state_dict().items() if not name.startswith(("fc.", "head."))
    )


def linear(*sizes: int, norm: bool = False, last_bias: bool = True, bias: bool = True) -> nn.Sequential:
    """Linear layers with ReLU, and BatchNorm where asked for, between them."""
    layers: list[nn.Module] = []
    for i in range(len(sizes) - 1):
        is_last = i == len(sizes) - 2
        layers.append(nn.Linear(sizes[i], sizes[i + 1], bias=last_bias if is_last else bias))
        if not is_last:
            layers += [nn.BatchNorm1d(sizes[i + 1])] if norm else []
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def state(head: nn.Module) -> dict[str, Tensor]:
    return head.state_dict()


def optimizer(network: nn.Module) -> dict[str, Any]:
    """Momentum of the first layer, which is told from weights by its place alone."""
    first = next(network.parameters())
    groups = [{"lr": 0.1, "momentum": 0.9, "params": [0]}]
    return {"state": {0: {"momentum_buffer": torch.zeros_like(first)}}, "param_groups": groups}


def lightning(weights: Mapping[str, Tensor], **hyper_parameters: Any) -> Content:
    return {
        "epoch": 99,
        "global_step": 500,
        "pytorch-lightning_version": "2.0.0",
        "state_dict": weights,
        "loops": {"fit_loop": {"state_dict": {}}},
        "callbacks": {"ModelCheckpoint": {"best_model_score": torch.tensor(0.3)}},
        "optimizer_states": [],
        "lr_schedulers": [],
        "hyper_parameters": hyper_parameters,
    }


class DINOHead(nn.Module):
    def __init__(self, norm: bool) -> None:
        super().__init__()
        self.mlp = linear(DIM, 64, 64, 32, norm=norm)
        self.mlp[-1].bias.data.normal_()
        self.last_layer = nn.utils.weight_norm(nn.Linear(32, 48, bias=False))


def moco(net: nn.Module, teacher: nn.Module, *, wrapper: str = "module.", released: bool = True) -> Content:
    heads = under(f"{wrapper}encoder_q.fc.", state(linear(DIM, DIM, 128)))
    content = {"epoch": 200, "arch": "resnet50", "state_dict": under(f"{wrapper}encoder_q.", trunk(net)) | heads}
    if released:
        return content
    content["state_dict"] |= under(f"{wrapper}encoder_k.", trunk(teacher))
    content["state_dict"] |= under(f"{wrapper}encoder_k.fc.", state(linear(DIM, DIM, 128)))
    queue = nn.functional.normalize(torch.randn(128, 256), dim=0)
    content["state_dict"] |= {f"{wrapper}queue": queue, f"{wrapper}queue_ptr": torch.tensor([64])}
    return content | {"optimizer": optimizer(net)}


def moco_v1(net: nn.Module, _: nn.Module) -> Content:
    weights = under("module.encoder_q.", trunk(net) | under("fc.", state(nn.Linear(DIM, 128))))
    return {"epoch": 200, "arch": "resnet50", "state_dict": weights}


def moco_v3(net: nn.Module, teacher: nn.Module) -> Content:
    head = "head." if "cls_token" in net.state_dict() else "fc."
    weights = under("module.base_encoder.", trunk(net) | under(head, state(linear(DIM, 64, 32, norm=True))))
    weights |= under("module.momentum_encoder.", trunk(teacher) | under(head, state(linear(DIM, 64, 32, norm=True))))
    weights |= under("module.predictor.", state(linear(32, 64, 32, norm=True)))
    return {"epoch": 300, "arch": "resnet50", "state_dict": weights, "optimizer": {}, "scaler": {"scale": 2.0}}


def swav(net: nn.Module, _: nn.Module) -> Content:
    weights = under("module.", trunk(net)) | under("module.projection_head.", state(linear(DIM, 384, 128, norm=True)))
    return weights | {"module.prototypes.weight": torch.randn(300, 128)}


def swav_trained(net: nn.Module, teacher: nn.Module) -> Content:
    return {"epoch": 5, "state_dict": swav(net, teacher), "optimizer": optimizer(net), "amp": {"loss_scale": 1.0}}


def dino(net: nn.Module, teacher: nn.Module) -> Content:
    is_vit = "cls_token" in net.state_dict()
    wrapper = "" if is_vit else "module."  # the teacher is wrapped only where there is BatchNorm
    return {
        "student": under("module.backbone.", trunk(net)) | under("module.head.", state(DINOHead(not is_vit))),
        "teacher": under(f"{wrapper}backbone.", trunk(teacher)) | under(f"{wrapper}head.", state(DINOHead(not is_vit))),
        "optimizer": optimizer(net),
        "epoch": 100,
        "args": argparse.Namespace(arch="vit_small", lr=0.0005, out_dim=48),
        "dino_loss": {"center": torch.randn(1, 48)},
        "fp16_scaler": {"scale": 1024.0},
    }


def backbone(net: nn.Module, _: nn.Module) -> Content:
    return trunk(net)


def barlow(net: nn.Module, _: nn.Module) -> Content:
    projector = linear(DIM, 256, 256, 256, norm=True, bias=False, last_bias=False)
    weights = under("module.backbone.", trunk(net)) | under("module.projector.", state(projector))
    return {
        "epoch": 1000,
        "model": weights | under("module.bn.", state(nn.BatchNorm1d(256, affine=False))),
        "optimizer": optimizer(net),
    }


def vicreg(net: nn.Module, _: nn.Module) -> Content:
    projector = linear(DIM, 256, 256, 256, norm=True, last_bias=False)
    weights = under("module.backbone.", trunk(net)) | under("module.projector.", state(projector))
    return {"epoch": 1000, "model": weights, "optimizer": optimizer(net)}


def simsiam(net: nn.Module, _: nn.Module) -> Content:
    projector = nn.Sequential(
        *linear(DIM, 256, 256, norm=True, bias=False, last_bias=False),
        nn.BatchNorm1d(256),
        nn.ReLU(),
        nn.Linear(256, 256),
        nn.BatchNorm1d(256, affine=False),
    )
    weights = under("module.encoder.", trunk(net) | under("fc.", state(projector)))
    weights |= under("module.predictor.", state(linear(256, 64, 256, norm=True, bias=False)))
    return {"epoch": 100, "arch": "resnet50", "state_dict": weights, "optimizer": optimizer(net)}


def byol_same_padding(net: nn.Module, _: nn.Module) -> Content:
    weights = {name: tensor for name, tensor in net.state_dict().items() if "num_batches" not in name}
    return dict(sorted(weights.items(), reverse=True))


def wrapped(net: nn.Module, _: nn.Module) -> Content:
    return {"state_dict": net.state_dict()}


def yaox12_release(net: nn.Module, teacher: nn.Module) -> Content:
    def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {f"net.{i}.{name.rpartition('.')[2]}": tensor for i, (name, tensor) in enumerate(state.items())}

    return {
        "online_backbone": renamed(trunk(net)),
        "online_projection": state(linear(DIM, 128, 64, norm=True)),
        "target_backbone": renamed(trunk(teacher)),
        "predictor": state(linear(64, 128, 64, norm=True)),
        "epoch": 300,
    }


class MLP(nn.Module):
    def __init__(self, *sizes: int) -> None:
        super().__init__()
        self.l1, self.bn1 = nn.Linear(sizes[0], sizes[1]), nn.BatchNorm1d(sizes[1])
        self.l2 = nn.Linear(sizes[1], sizes[2])


def yaox12(net: nn.Module, teacher: nn.Module) -> Content:
    def sequential(network: nn.Module) -> dict[str, Tensor]:
        return state(nn.Sequential(*list(network.children())[:-1]))

    weights = under("module.online_network.encoder.", sequential(net))
    weights |= under("module.online_network.projetion.", state(MLP(DIM, 128, 64)))
    weights |= under("module.target_network.encoder.", sequential(teacher))
    weights |= under("module.target_network.projetion.", state(MLP(DIM, 128, 64)))
    weights |= under("module.predictor.predictor.", state(MLP(64, 128, 64)))
    return {"config": {"model": {"backbone": "resnet50"}}, "epoch": 3, "steps": 9, "model": weights, "amp": None}


def lucidrains(net: nn.Module, teacher: nn.Module) -> Content:
    return {
        **under("net.", net.state_dict()),
        **under("online_encoder.net.", net.state_dict()),
        **under("online_encoder.projector.", state(linear(DIM, 128, 64, norm=True))),
        **under("target_encoder.net.", teacher.state_dict()),
        **under("target_encoder.projector.", state(linear(DIM, 128, 64, norm=True))),
        **under("online_predictor.", state(linear(64, 128, 64, norm=True))),
    }


def vissl(heads: Mapping[str, Tensor], loss: Callable[[nn.Module], Mapping[str, Any]]) -> Callable[..., Content]:
    def content(net: nn.Module, teacher: nn.Module) -> Content:
        model = {"trunk": under("_feature_blocks.", trunk(net)), "heads": heads}
        inside = {"base_model": {"model": model, "meters": {}}, "loss": loss(teacher), "optimizer": optimizer(net)}
        return {
            "phase_idx": 99,
            "iteration": 10,
            "train_phase_idx": 99,
            "type": "consolidated",
            "classy_state_dict": inside,
        }

    return content


def vissl_moco_loss(teacher: nn.Module) -> Mapping[str, Any]:
    return {
        "queue": torch.randn(128, 256),
        "queue_ptr": torch.tensor([0]),
        **under("moco_encoder.module.trunk._feature_blocks.", trunk(teacher)),
        **under("moco_encoder.module.heads.0.clf.", state(linear(DIM, DIM, 128))),
    }


def solo_learn(name: str, **extra: Tensor) -> Callable[..., Content]:
    def content(net: nn.Module, teacher: nn.Module) -> Content:
        weights = under(f"{name}.", trunk(net)) | under("classifier.", state(nn.Linear(DIM, 10)))
        weights |= under("projector.", state(linear(DIM, 384, 256, norm=True)))
        weights |= under(f"momentum_{name}.", trunk(teacher))
        weights |= under("momentum_projector.", state(linear(DIM, 384, 256, norm=True)))
        weights |= under("predictor.", state(linear(256, 384, 256, norm=True)))
        return lightning(weights | extra)

    return content


def lightly(net: nn.Module, _: nn.Module) -> Content:
    weights = under("backbone.", trunk(net)) | under(
        "online_classifier.classification_head.", state(nn.Linear(DIM, 10))
    )
    return lightning(weights | under("projection_head.layers.", state(linear(DIM, DIM, 128))), num_classes=1000)


def lightly_byol(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("backbone.", trunk(net)) | under("teacher_backbone.", trunk(teacher))
    for prefix in ("projection_head.layers.", "teacher_projection_head.layers."):
        weights |= under(prefix, state(linear(DIM, 384, 256, norm=True, bias=False)))
    return lightning(weights | under("prediction_head.layers.", state(linear(256, 384, 256, norm=True, bias=False))))


def lightly_byol_old(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("backbone.", trunk(teacher)) | under("student_backbone.", trunk(net))
    for prefix in ("projection_head.layers.", "student_projection_head.layers."):
        weights |= under(prefix, state(linear(DIM, 384, 256, norm=True, bias=False)))
    head = linear(256, 384, 256, norm=True, bias=False)
    return lightning(weights | under("student_prediction_head.layers.", state(head)))


def lightly_dino(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("backbone.", trunk(teacher)) | under("student_backbone.", trunk(net))
    for prefix in ("projection_head.", "student_projection_head."):
        head = DINOHead(norm=True)
        weights |= under(f"{prefix}layers.", state(head.mlp)) | under(f"{prefix}last_layer.", state(head.last_layer))
    return lightning(weights | {"criterion.center": torch.randn(1, 48)})


def mmselfsup(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("backbone.", trunk(net)) | under("neck.mlp.", state(linear(DIM, DIM, 128)))
    weights |= under("encoder_k.module.0.", trunk(teacher)) | under(
        "encoder_k.module.1.mlp.", state(linear(DIM, DIM, 128))
    )
    extra = {"encoder_k.steps": torch.tensor(5), "queue": torch.randn(128, 256), "queue_ptr": torch.tensor([0])}
    return {"meta": {"epoch": 200, "cfg": "model = dict()"}, "state_dict": weights | extra, "optimizer": optimizer(net)}


def mmselfsup_moco_v3(net: nn.Module, teacher: nn.Module) -> Content:
    def renamed(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
        changes = {
            "patch_embed.proj.": "patch_embed.projection.",
            "blocks.": "layers.",
            "norm1.": "ln1.",
            "norm2.": "ln2.",
            "mlp.fc1.": "ffn.layers.0.0.",
            "mlp.fc2.": "ffn.layers.1.",
        }
        found = {}
        for name, tensor in state.items():
            mine = f"ln1.{name.removeprefix('norm.')}" if name.startswith("norm.") else name
            for ours, theirs in changes.items():
                mine = mine.replace(ours, theirs)
            found[mine] = tensor
        return found

    weights = under("backbone.", renamed(trunk(net))) | under("neck.fc0.", state(nn.Linear(384, 64)))
    weights |= under("momentum_encoder.module.0.", renamed(trunk(teacher)))
    weights |= under("momentum_encoder.module.1.fc0.", state(nn.Linear(384, 64)))
    weights |= under("head.predictor.fc0.", state(nn.Linear(64, 64))) | {"momentum_encoder.steps": torch.tensor(5)}
    return {"meta": {"epoch": 300}, "state_dict": weights}


def openselfsup(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("encoder_q.0.", trunk(net)) | under("encoder_q.1.mlp.", state(linear(DIM, DIM, 128)))
    weights |= under("encoder_k.0.", trunk(teacher)) | under("encoder_k.1.mlp.", state(linear(DIM, DIM, 128)))
    return {
        "meta": {"epoch": 200},
        "state_dict": weights | {"queue": torch.randn(128, 256), "queue_ptr": torch.tensor([0])},
    }


def bolts_simclr(net: nn.Module, _: nn.Module) -> Content:
    head = linear(DIM, DIM, 128, norm=True, last_bias=False)
    return lightning(under("encoder.", net.state_dict()) | under("projection.model.", state(head)), gpus=8)


def bolts_moco(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("encoder_q.", net.state_dict()) | under("encoder_k.", teacher.state_dict())
    queue = {"queue.representations": torch.randn(128, 256), "queue.pointer": torch.tensor(0)}
    return lightning(weights | queue | {f"val_{key}": tensor for key, tensor in queue.items()})


def bolts_byol(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("online_network.encoder.", net.state_dict()) | under(
        "target_network.encoder.", teacher.state_dict()
    )
    for network in ("online_network", "target_network"):
        weights |= under(f"{network}.projector.model.", state(linear(DIM, 384, 256, norm=True, bias=False)))
    return lightning(weights | under("predictor.model.", state(linear(256, 384, 256, norm=True, bias=False))))


def bolts_swav(net: nn.Module, _: nn.Module) -> Content:
    weights = trunk(net) | under("projection_head.", state(linear(DIM, 384, 128, norm=True)))
    return lightning(under("model.", weights | {"prototypes.weight": torch.randn(300, 128)}))


def stable_pretraining(net: nn.Module, _: nn.Module) -> Content:
    weights = under("backbone.", trunk(net)) | under("projector.", state(linear(DIM, 256, 128, norm=True)))
    return lightning(weights | under("callbacks_modules.probe.", state(nn.Linear(DIM, 10))), lr=0.1)


def stable_pretraining_teacher(net: nn.Module, teacher: nn.Module) -> Content:
    weights = under("backbone.student.", trunk(net)) | under("backbone.teacher.", trunk(teacher))
    for role in ("student", "teacher"):
        weights |= under(f"projector.{role}.", state(linear(DIM, 384, 256, norm=True)))
    weights |= under("predictor.", state(linear(256, 384, 256, norm=True)))
    return lightning(weights | under("callbacks_modules.probe.", state(nn.Linear(DIM, 10))), lr=0.1)


def spijkervet(net: nn.Module, _: nn.Module) -> Content:
    return under("encoder.", trunk(net)) | under("projector.", state(linear(DIM, DIM, 64, bias=False, last_bias=False)))


def sthalles(net: nn.Module, _: nn.Module) -> Content:
    weights = under("backbone.", trunk(net) | under("fc.", state(linear(DIM, DIM, 128))))
    return {"epoch": 100, "arch": "resnet18", "state_dict": weights, "optimizer": optimizer(net)}


def pycontrast(net: nn.Module, _: nn.Module) -> Content:
    weights = under("module.encoder.", trunk(net)) | under("module.head.", state(linear(DIM, DIM, 128)))
    return {"opt": argparse.Namespace(method="InfoMin"), "model": weights, "optimizer": {}, "epoch": 800}


def supervised(net: nn.Module, _: nn.Module) -> Content:
    return {
        "epoch": 90,
        "arch": "resnet18",
        "best_acc1": torch.tensor(69.8),
        "state_dict": under("module.", net.state_dict()),
    }


def compiled(net: nn.Module, _: nn.Module) -> Content:
    return lightning(under("model._orig_mod.module.net.", trunk(net)))


@dataclass(frozen=True)
class Source:
    """How a source writes, and what should be recognised.

    Attributes:
        write: Encoder and teacher to content.
        layout: Name of the layout.
        role: Which of the two becomes the encoder.
        file: Name of the file.
        pixels: Whether the source feeds values in [0, 1].
        kind: "resnet", "vit", or "same" for a ResNet padded as TensorFlow does.
    """

    write: Callable[[nn.Module, nn.Module], Content]
    layout: str
    role: str = "student"
    file: str = "checkpoint.pth"
    pixels: bool = False
    kind: str = "resnet"


def moco_trained(net: nn.Module, teacher: nn.Module) -> Content:
    return moco(net, teacher, released=False)


def moco_unwrapped(net: nn.Module, teacher: nn.Module) -> Content:
    return moco(net, teacher, wrapper="", released=False)


def nothing(_: nn.Module) -> Mapping[str, Any]:
    return {}


SOURCES = {
    "moco_v1": Source(moco_v1, "moco"),
    "moco_v2": Source(moco, "moco", file="moco_v2_800ep_pretrain.pth.tar"),
    "moco_trained": Source(moco_trained, "moco"),
    "moco_unwrapped": Source(moco_unwrapped, "moco"),
    "moco_v3": Source(moco_v3, "moco_v3"),
    "moco_v3_vit": Source(moco_v3, "moco_v3", kind="vit"),
    "swav": Source(swav, "swav", file="swav_800ep_pretrain.pth.tar"),
    "swav_trained": Source(swav_trained, "swav"),
    "dino": Source(dino, "dino", role="teacher"),
    "dino_vit": Source(dino, "dino", role="teacher", kind="vit"),
    "dino_hub": Source(backbone, "backbone", file="dino_resnet50_pretrain.pth"),
    "dino_hub_vit": Source(backbone, "backbone", kind="vit"),
    "barlow_twins_backbone": Source(backbone, "backbone", file="resnet50.pth"),
    "barlow_twins": Source(barlow, "barlow_twins"),
    "vicreg": Source(vicreg, "vicreg"),
    "simsiam": Source(simsiam, "simsiam"),
    "byol_same_padding": Source(byol_same_padding, "byol_same_padding", file="pretrain_res50x1.pth.tar", kind="same"),
    "byol_ssl_transfer": Source(wrapped, "byol_ssl_transfer", file="byol.pth"),
    "byol_ssl_transfer_final": Source(backbone, "backbone", file="byol.pth"),
    "byol_yaox12_release": Source(yaox12_release, "byol_yaox12_release"),
    "byol_yaox12": Source(yaox12, "byol_yaox12"),
    "byol_lucidrains": Source(lucidrains, "byol_lucidrains"),
    "vissl_simclr": Source(vissl(under("0.clf.", linear(DIM, DIM, 128).state_dict()), nothing), "vissl"),
    "vissl_swav": Source(
        vissl(
            under("0.projection_head.", linear(DIM, 384, 128, norm=True).state_dict())
            | {"0.prototypes0.weight": torch.randn(300, 128)},
            nothing,
        ),
        "vissl",
    ),
    "vissl_moco": Source(vissl(under("0.clf.", linear(DIM, DIM, 128).state_dict()), vissl_moco_loss), "vissl"),
    "solo_learn": Source(solo_learn("backbone"), "solo_learn"),
    "solo_learn_2021": Source(solo_learn("encoder", queue=torch.randn(2, 256, 512)), "solo_learn_2021"),
    "lightly": Source(lightly, "lightly", file="epoch=99-step=500400.ckpt"),
    "lightly_byol": Source(lightly_byol, "lightly"),
    "lightly_byol_old": Source(lightly_byol_old, "lightly_byol", role="teacher"),
    "lightly_dino": Source(lightly_dino, "lightly_dino", role="teacher"),
    "lightly_train_export": Source(backbone, "backbone", file="exported_last.pt"),
    "mmselfsup": Source(mmselfsup, "mmpretrain"),
    "mmselfsup_moco_v3": Source(mmselfsup_moco_v3, "mmpretrain_moco_v3", kind="vit"),
    "openselfsup": Source(openselfsup, "openselfsup"),
    "bolts_simclr": Source(bolts_simclr, "bolts_simclr"),
    "bolts_moco": Source(bolts_moco, "bolts_moco"),
    "bolts_byol": Source(bolts_byol, "bolts_byol"),
    "bolts_swav": Source(bolts_swav, "bolts_swav"),
    "stable_pretraining": Source(stable_pretraining, "stable_pretraining"),
    "stable_pretraining_teacher": Source(stable_pretraining_teacher, "stable_pretraining"),
    "simclr_spijkervet": Source(spijkervet, "simclr_spijkervet", pixels=True),
    "simclr_sthalles": Source(sthalles, "simclr_sthalles", pixels=True),
    "simclr_tonylins": Source(wrapped, "simclr_tonylins", file="resnet50-1x.pth", pixels=True),
    "pycontrast": Source(pycontrast, "pycontrast"),
    "supervised": Source(supervised, "supervised"),
    "torchvision": Source(lambda net, _: net.state_dict(), "torchvision", file="mine.pth"),
    "timm_vit": Source(lambda net, _: net.state_dict(), "backbone", kind="vit"),
    "compiled": Source(compiled, "prefix"),
}
