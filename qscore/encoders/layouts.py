"""Where published SSL checkpoints keep what: one declarative map of key prefixes for each source.

Keys are those of the file's nested dictionaries joined by dots, with the segments that wrappers insert (`module` of
DataParallel and DDP, `_orig_mod` of torch.compile) left out. The longest prefix that a key begins with decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

STUDENT, TEACHER = "student", "teacher"
# The parts of a method that a checkpoint can start warm; a method's own attribute names, but for `key` (MoCo).
PROJECTION, PREDICTION, PROTOTYPES = "projection_head", "prediction_head", "prototypes"
TEACHER_PROJECTION, QUEUE, CENTER = "teacher_projection_head", "queue", "center"
UNUSED = "unused"  # recognised, and nothing that fine-tuning could use
IMAGENET, PIXELS = "imagenet", "pixels"  # mean and std subtracted, or values in [0, 1] as they are


@dataclass(frozen=True)
class Layout:
    """How one source writes its checkpoints.

    Attributes:
        name: To ask for it by, `checkpoint.layout=NAME`.
        source: Who writes it.
        trunk: Prefix of the encoder, to the role it has in training.
        parts: Prefix to part.
        containers: Dictionaries around all of it that occur, longest last.
        marks: Prefixes or top-level entries that must be there.
        lacks: Prefixes or top-level entries that must not be there.
        default_role: The role that the source itself evaluates.
        names: How the encoder's parameters are called behind the prefix, see `qscore.encoders.names`.
        methods: Methods whose heads these are; none where the loss is not one of ours.
        normalization: What the source feeds the encoder with.
        stem: Stem that goes with a 3x3 first convolution, where the source has one.
        padding: "symmetric" or "same".
        num_heads: Feature dimension to attention heads, where a ViT of the source departs from 64 channels a head.
        file_hint: Regular expression of file names; settles a tie between layouts of the same keys, nothing else.
    """

    name: str
    source: str
    trunk: Mapping[str, str]
    parts: Mapping[str, str] = field(default_factory=dict)
    containers: tuple[str, ...] = ("",)
    marks: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    default_role: str = STUDENT
    names: str = "torchvision_or_timm"
    methods: tuple[str, ...] = ()
    normalization: str = IMAGENET
    stem: str | None = None
    padding: str = "symmetric"
    num_heads: Mapping[int, int] = field(default_factory=dict)
    file_hint: str = ""


STATE_DICT = ("state_dict.",)
ANY_CONTAINER = ("", "state_dict.", "model.", "model_state_dict.", "state_dict_ema.", "model_ema.")
ALL_METHODS = ("simclr", "swav", "moco", "byol", "dino", "simsiam", "vicreg", "barlow_twins")

LAYOUTS = (
    Layout(
        "moco",
        "MoCo v1 and v2, PCL (facebookresearch/moco, salesforce/PCL), released or self-trained",
        {"encoder_q.": STUDENT, "encoder_k.": TEACHER},
        {"encoder_q.fc.": PROJECTION, "encoder_k.fc.": TEACHER_PROJECTION, "queue": QUEUE, "queue_ptr": UNUSED},
        containers=("", "state_dict."),
        methods=("moco",),
    ),
    Layout(
        "moco_v3",
        "MoCo v3 (facebookresearch/moco-v3)",
        {"base_encoder.": STUDENT, "momentum_encoder.": TEACHER},
        {
            "base_encoder.fc.": UNUSED,
            "base_encoder.head.": UNUSED,
            "momentum_encoder.fc.": UNUSED,
            "momentum_encoder.head.": UNUSED,
            "predictor.": UNUSED,
        },
        containers=STATE_DICT,
        num_heads={384: 12},
    ),
    Layout(
        "swav",
        "SwAV, DeepCluster-v2, SeLa-v2 (facebookresearch/swav), released or self-trained",
        {"": STUDENT},
        {"projection_head.": PROJECTION, "prototypes.": PROTOTYPES},
        containers=("", "state_dict."),
        marks=("projection_head.", "prototypes."),
        methods=("swav",),
    ),
    Layout(
        "dino",
        "DINO, whole training state (facebookresearch/dino)",
        {"student.backbone.": STUDENT, "teacher.backbone.": TEACHER},
        {
            "student.head.mlp.": PROJECTION,
            "student.head.last_layer.": f"{PROJECTION}.last_layer",
            "teacher.head.mlp.": TEACHER_PROJECTION,
            "teacher.head.last_layer.": f"{TEACHER_PROJECTION}.last_layer",
            "dino_loss.center": CENTER,
        },
        default_role=TEACHER,
        methods=("dino",),
    ),
    Layout(
        "barlow_twins",
        "Barlow Twins, whole training state (facebookresearch/barlowtwins)",
        {"backbone.": STUDENT},
        {"projector.": PROJECTION, "bn.": UNUSED},
        containers=("model.",),
        marks=("bn.",),
        methods=("barlow_twins",),
    ),
    Layout(
        "vicreg",
        "VICReg, whole training state (facebookresearch/vicreg)",
        {"backbone.": STUDENT},
        {"projector.": PROJECTION},
        containers=("model.",),
        marks=("projector.",),
        methods=("vicreg",),
    ),
    Layout(
        "simsiam",
        "SimSiam (facebookresearch/simsiam)",
        {"encoder.": STUDENT},
        {"encoder.fc.": PROJECTION, "predictor.": PREDICTION},
        containers=STATE_DICT,
        marks=("encoder.fc.", "predictor."),
        methods=("simsiam",),
    ),
    Layout(
        "byol_same_padding",
        "BYOL's weights as converted with its own padding (chigur/byol-convert)",
        {"": STUDENT},
        {"fc.": UNUSED},
        marks=("fc.",),
        lacks=("bn1.num_batches_tracked",),  # which torchvision's weights had none of before 2019 either
        padding="same",
        file_hint=r"pretrain_res\d+x\d",
    ),
    Layout(
        "byol_ssl_transfer",
        "BYOL's weights as converted for ordinary padding (linusericsson/ssl-transfer)",
        {"": STUDENT},
        {"fc.": UNUSED},
        containers=STATE_DICT,
        marks=("fc.",),
        lacks=("arch", "epoch"),
        file_hint="byol",
    ),
    Layout(
        "byol_yaox12_release",
        "BYOL, the released file (yaox12/BYOL-PyTorch)",
        {"online_backbone.": STUDENT, "target_backbone.": TEACHER},
        {
            "online_projection.": PROJECTION,
            "online_projector.": PROJECTION,
            "target_projection.": TEACHER_PROJECTION,
            "target_projector.": TEACHER_PROJECTION,
            "predictor.": PREDICTION,
        },
        names="in_order",
        methods=("byol",),
    ),
    Layout(
        "byol_yaox12",
        "BYOL, the present code (yaox12/BYOL-PyTorch)",
        {"online_network.encoder.": STUDENT, "target_network.encoder.": TEACHER},
        {
            "online_network.projetion.": PROJECTION,  # the source's own spelling
            "target_network.projetion.": TEACHER_PROJECTION,
            "predictor.": PREDICTION,
        },
        containers=("model.",),
        names="sequential",
        methods=("byol",),
    ),
    Layout(
        "byol_lucidrains",
        "BYOL, the whole learner (lucidrains/byol-pytorch)",
        {"online_encoder.net.": STUDENT, "target_encoder.net.": TEACHER},
        {
            "online_encoder.projector.": PROJECTION,
            "target_encoder.projector.": TEACHER_PROJECTION,
            "online_predictor.": PREDICTION,
            "net.": UNUSED,  # the student once more
        },
        containers=("", "state_dict.", "model."),
        methods=("byol",),
    ),
    Layout(
        "vissl",
        "VISSL (facebookresearch/vissl): SimCLR, SwAV, MoCo, Barlow Twins, DINO and others",
        {
            "base_model.model.trunk._feature_blocks.": STUDENT,
            "loss.moco_encoder.trunk._feature_blocks.": TEACHER,
            "loss.momentum_teacher.trunk._feature_blocks.": TEACHER,
        },
        {
            "base_model.model.heads.0.": PROJECTION,
            "base_model.model.heads.0.prototypes0.": PROTOTYPES,
            "loss.moco_encoder.heads.0.": TEACHER_PROJECTION,
            "loss.momentum_teacher.heads.0.": TEACHER_PROJECTION,
            "loss.queue": QUEUE,
            "loss.queue_ptr": UNUSED,
            "loss.center": CENTER,
            "loss.": UNUSED,
        },
        containers=("classy_state_dict.",),
        methods=ALL_METHODS,
    ),
    Layout(
        "vissl_trunk",
        "VISSL (facebookresearch/vissl), the trunk alone",
        {"_feature_blocks.": STUDENT},
        {"heads.": UNUSED},
        containers=("", "trunk.", "model_state_dict.", "model_state_dict.trunk.", "model.trunk."),
    ),
    *(
        Layout(
            f"solo_learn{era}",
            f"solo-learn {years}",
            {f"{trunk}.": STUDENT, f"momentum_{trunk}.": TEACHER},
            {
                "projector.": PROJECTION,
                "head.mlp.": PROJECTION,
                "head.last_layer.": f"{PROJECTION}.last_layer",
                "momentum_projector.": TEACHER_PROJECTION,
                "momentum_head.mlp.": TEACHER_PROJECTION,
                "momentum_head.last_layer.": f"{TEACHER_PROJECTION}.last_layer",
                "predictor.": PREDICTION,
                "prototypes.": PROTOTYPES,
                "queue": QUEUE,
                "queue_ptr": UNUSED,
                "dino_loss_func.center": CENTER,
                "classifier.": UNUSED,
                "momentum_classifier.": UNUSED,
            },
            containers=("", "state_dict."),
            marks=("classifier.",),
            methods=ALL_METHODS,
            stem="cifar_padding2",
        )
        for era, years, trunk in (("", "since 2022", "backbone"), ("_2021", "until 2021", "encoder"))
    ),
    Layout(
        "lightly",
        "lightly's benchmarks: SimCLR, MoCo, SwAV, VICReg, Barlow Twins, BYOL since 2024-02-22",
        {"backbone.": STUDENT, "key_backbone.": TEACHER, "teacher_backbone.": TEACHER},
        {
            "projection_head.": PROJECTION,
            "key_projection_head.": TEACHER_PROJECTION,
            "teacher_projection_head.": TEACHER_PROJECTION,
            "prediction_head.": PREDICTION,
            "prototypes.": PROTOTYPES,
            "online_classifier.": UNUSED,
            "criterion.": UNUSED,
        },
        containers=("", "state_dict."),
        marks=("projection_head.",),
        methods=ALL_METHODS,
    ),
    *(
        Layout(
            f"lightly_{method}",
            f"lightly's benchmarks: {source}, where `backbone` is the teacher",
            {"backbone.": TEACHER, "student_backbone.": STUDENT},
            {
                "student_projection_head.": PROJECTION,
                "student_prediction_head.": PREDICTION,
                "projection_head.": TEACHER_PROJECTION,
                "criterion.center": CENTER,
                "online_classifier.": UNUSED,
            },
            containers=("", "state_dict."),
            marks=marks,
            default_role=TEACHER,
            methods=(method,),
        )
        for method, source, marks in (
            ("dino", "DINO", ("student_backbone.", "student_projection_head.last_layer.")),
            ("byol", "BYOL until 2024-02-22", ("student_backbone.", "student_prediction_head.")),
        )
    ),
    Layout(
        "mmpretrain",
        "mmselfsup, mmpretrain (open-mmlab)",
        {
            "backbone.": STUDENT,
            "encoder_k.0.": TEACHER,
            "target_net.0.": TEACHER,
        },
        {
            "neck.": PROJECTION,
            "encoder_k.1.": TEACHER_PROJECTION,
            "target_net.1.": TEACHER_PROJECTION,
            "head.predictor.": PREDICTION,
            "head.prototypes.": PROTOTYPES,
            "head.": UNUSED,
            "queue": QUEUE,
            "queue_ptr": UNUSED,
            "encoder_k.steps": UNUSED,
            "target_net.steps": UNUSED,
            "data_preprocessor.": UNUSED,
        },
        containers=STATE_DICT,
        marks=("meta",),
        names="mmpretrain",
        methods=ALL_METHODS,
    ),
    Layout(
        "mmpretrain_moco_v3",
        "mmselfsup, mmpretrain (open-mmlab): MoCo v3",
        {"backbone.": STUDENT, "momentum_encoder.0.": TEACHER},
        {
            "neck.": UNUSED,
            "head.": UNUSED,
            "momentum_encoder.1.": UNUSED,
            "momentum_encoder.steps": UNUSED,
            "data_preprocessor.": UNUSED,
        },
        containers=STATE_DICT,
        marks=("meta", "momentum_encoder.0."),
        names="mmpretrain",
        num_heads={384: 12},
    ),
    Layout(
        "openselfsup",
        "OpenSelfSup, mmselfsup 0.x (open-mmlab): MoCo",
        {"encoder_q.0.": STUDENT, "encoder_k.0.": TEACHER},
        {"encoder_q.1.": PROJECTION, "encoder_k.1.": TEACHER_PROJECTION, "queue": QUEUE, "queue_ptr": UNUSED},
        containers=STATE_DICT,
        methods=("moco",),
    ),
    Layout(
        "bolts_simclr",
        "lightning-bolts: SimCLR",
        {"encoder.": STUDENT},
        {"projection.model.": PROJECTION, "projection.": PROJECTION, "online_finetuner.": UNUSED},
        containers=STATE_DICT,
        marks=("projection.", "pytorch-lightning_version"),
        methods=("simclr",),
    ),
    Layout(
        "bolts_moco",
        "lightning-bolts: MoCo",
        {"encoder_q.": STUDENT, "encoder_k.": TEACHER},
        {
            "encoder_q.fc.": PROJECTION,
            "encoder_k.fc.": TEACHER_PROJECTION,
            "head_q.": PROJECTION,
            "head_k.": TEACHER_PROJECTION,
            "queue.representations": QUEUE,
            "queue": QUEUE,
            "queue.pointer": UNUSED,
            "queue_ptr": UNUSED,
            "val_queue": UNUSED,
            "val_queue.": UNUSED,
            "val_queue_ptr": UNUSED,
        },
        containers=STATE_DICT,
        marks=("pytorch-lightning_version",),
        methods=("moco",),
    ),
    Layout(
        "bolts_byol",
        "lightning-bolts: BYOL, SimSiam",
        {"online_network.encoder.": STUDENT, "target_network.encoder.": TEACHER},
        {
            "online_network.projector.": PROJECTION,
            "target_network.projector.": TEACHER_PROJECTION,
            "predictor.": PREDICTION,
            "online_finetuner.": UNUSED,
        },
        containers=STATE_DICT,
        methods=("byol", "simsiam"),
    ),
    Layout(
        "bolts_swav",
        "lightning-bolts: SwAV",
        {"model.": STUDENT},
        {"model.projection_head.": PROJECTION, "model.prototypes.": PROTOTYPES, "queue": UNUSED},
        containers=STATE_DICT,
        marks=("model.prototypes.",),
        methods=("swav",),
    ),
    Layout(
        "stable_pretraining",
        "stable-pretraining",
        {"backbone.": STUDENT, "backbone.student.": STUDENT, "backbone.teacher.": TEACHER},
        {
            "projector.": PROJECTION,
            "projector.student.": PROJECTION,
            "projector.teacher.": TEACHER_PROJECTION,
            "predictor.": PREDICTION,
            "callbacks_modules.": UNUSED,
            "callbacks_metrics.": UNUSED,
        },
        containers=STATE_DICT,
        marks=("pytorch-lightning_version", "callbacks_m"),
        methods=ALL_METHODS,
    ),
    Layout(
        "simclr_spijkervet",
        "SimCLR (Spijkervet/SimCLR)",
        {"encoder.": STUDENT},
        {"projector.": PROJECTION},
        marks=("projector.0.weight", "projector.2.weight"),
        lacks=("projector.0.bias", "projector.1.", "projector.3.", "pytorch-lightning_version"),
        methods=("simclr",),
        normalization=PIXELS,
    ),
    Layout(
        "simclr_sthalles",
        "SimCLR (sthalles/SimCLR)",
        {"backbone.": STUDENT},
        {"backbone.fc.": PROJECTION},
        containers=STATE_DICT,
        marks=("arch", "backbone.fc.0.", "backbone.fc.2."),
        lacks=("pytorch-lightning_version",),
        methods=("simclr",),
        normalization=PIXELS,
    ),
    Layout(
        "simclr_tonylins",
        "Google's SimCLR as converted to PyTorch (tonylins/simclr-converter)",
        {"": STUDENT},
        {"fc.": UNUSED},
        containers=STATE_DICT,
        marks=("fc.",),
        lacks=("arch", "epoch"),
        normalization=PIXELS,
        file_hint=r"resnet50-\dx",
    ),
    Layout(
        "pycontrast",
        "PIRL, InsDis, InfoMin (HobbitLong/PyContrast)",
        {"encoder.": STUDENT},
        {"encoder.fc.": UNUSED, "head.": UNUSED, "head_jig.": UNUSED, "encoder_jig.": UNUSED, "jigsaw.": UNUSED},
        containers=("model.",),
    ),
    Layout(
        "supervised",
        "torchvision's ImageNet examples, timm's training: state_dict beside arch",
        {"": STUDENT},
        {"fc.": UNUSED, "head.": UNUSED},
        containers=("state_dict.", "state_dict_ema.", "model.", "model_ema."),
        marks=("arch",),
    ),
    Layout(
        "torchvision",
        "torchvision, timm: weights with a classifier",
        {"": STUDENT},
        {"fc.": UNUSED, "head.": UNUSED, "classifier.": UNUSED},
        containers=("", "state_dict."),
        marks=("fc.",),
        lacks=("arch",),
        file_hint=r"^\w+-[0-9a-f]{8}\.pth",
    ),
    Layout(
        "backbone",
        "weights of a backbone alone (DINO's hub, Barlow Twins, VICReg, lightly-train's export, ssl-transfer, timm)",
        {"": STUDENT},
        {"head.": UNUSED, "classifier.": UNUSED},
        containers=ANY_CONTAINER,
    ),
    Layout(
        "huggingface_resnet",
        "transformers: ResNet",
        {"": STUDENT, "resnet.": STUDENT},
        {"classifier.": UNUSED},
        marks=("embedder.",),
        names="huggingface_resnet",
    ),
    Layout(
        "huggingface_vit",
        "transformers: ViT, DINO's too",
        {"": STUDENT, "vit.": STUDENT},
        {"pooler.": UNUSED, "vit.pooler.": UNUSED, "classifier.": UNUSED, "lm_head.": UNUSED},
        names="huggingface_vit",
    ),
)
