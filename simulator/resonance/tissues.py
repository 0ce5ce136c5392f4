"""Tissues with their relaxation times at 3 T, and where these are from.

Times are in ms. T2* is not measured as often as T2: where no source is named for it, it is an
assumption, as are densities of protons other than those of Stanisz et al. 2005 and all variations.
Chosen by eye beside published images of hands at 3 T, and by what Grant-Jacob et al. 2021
(doi:10.1088/2399-6528/ac24d8) say of theirs: in T1 fat is dark and water grey, in T2 both are
bright and muscle is in between; marrow is as bright as fat.
"""

from dataclasses import dataclass

GOLD = "Gold et al. 2004, doi:10.2214/ajr.183.2.1830343"
STANISZ = "Stanisz et al. 2005, doi:10.1002/mrm.20605"
BOJORQUEZ = "Bojorquez et al. 2017, doi:10.1016/j.mri.2016.08.021"
HORCH = "Horch et al. 2012, doi:10.1002/mrm.24186"
JURAS = "Juras et al. 2013, doi:10.1007/s00330-013-2897-8"
ASSUMED = "assumed"


@dataclass(frozen=True, kw_only=True)
class Tissue:
    """What a tissue's protons are, and how they relax.

    Parameters
    ----------
    label : int
        In volumes of labels and in stores, 0 to 255; 0 is air.
    name : str
    water : float
        Density of water's protons that scanners see, over that of free water.
    t1, t2, t2_star : float
        Of water, ms.
    fat : float
        Density of fat's protons, over that of free water.
    fat_t1, fat_t2, fat_t2_star : float
        Of fat, ms: subcutaneous fat of Gold et al. 2004.
    grain : float
        How its density varies from place to place: the SD over the mean is 0.76 of it.
    t2_grain : float
        The same of its signal in the spin echo alone, which T1 tells nothing of.
    inflow : float
        Share of its protons that are fresh at each excitation of a gradient echo: of arteries.
    void : float
        Share of its spin echo that is lost as protons move on between pulses.
    source : str
        Of T1 and T2.
    """

    label: int
    name: str
    water: float = 0.0
    t1: float = 1000.0
    t2: float = 50.0
    t2_star: float = 25.0
    fat: float = 0.0
    fat_t1: float = 371.0
    fat_t2: float = 133.0
    fat_t2_star: float = 30.0
    grain: float = 0.0
    t2_grain: float = 0.0
    inflow: float = 0.0
    void: float = 0.0
    source: str = ASSUMED


AIR = Tissue(label=0, name="air")

HAND_TISSUES = (
    AIR,
    # Dermis: collagen with water, dark in both.
    Tissue(label=1, name="skin", water=0.55, t1=900, t2=30, t2_star=12, fat=0.03, grain=0.05,
           t2_grain=0.05, source=ASSUMED),
    Tissue(label=2, name="fat", water=0.08, t1=900, t2=40, t2_star=18, fat=0.90, fat_t2_star=35,
           grain=0.04, t2_grain=0.03, source=GOLD),
    Tissue(label=3, name="muscle", water=0.82, t1=1420, t2=31.7, t2_star=25, fat=0.02, grain=0.04,
           t2_grain=0.08, source=GOLD),
    # Its T2 is that of its long component; half of its protons have 0.7 ms and are never seen.
    Tissue(label=4, name="tendon", water=0.25, t1=700, t2=4, t2_star=2.5, grain=0.1,
           source=JURAS),
    Tissue(label=5, name="cortical bone", water=0.2, t1=240, t2=0.5, t2_star=0.4, source=HORCH),
    Tissue(label=6, name="marrow", water=0.12, t1=900, t2=40, t2_star=10, fat=0.82, fat_t1=365,
           fat_t2=133, fat_t2_star=14, grain=0.08, t2_grain=0.06, source=GOLD),
    Tissue(label=7, name="cartilage", water=0.75, t1=1240, t2=36.9, t2_star=22, grain=0.05,
           t2_grain=0.08, source=GOLD),
    Tissue(label=8, name="synovial fluid", water=1.0, t1=3620, t2=767, t2_star=120, grain=0.02,
           source=GOLD),
    # Fresh protons and their loss are those of a flow of some cm/s, assumed.
    Tissue(label=9, name="artery", water=0.9, t1=1932, t2=275, t2_star=60, inflow=0.35, void=0.92,
           grain=0.05, source=STANISZ),
    Tissue(label=10, name="vein", water=0.9, t1=1932, t2=180, t2_star=30, inflow=0.05, void=0.15,
           grain=0.1, t2_grain=0.15, source=f"{STANISZ}; T2 by its oxygen, assumed"),
    Tissue(label=11, name="nerve", water=0.75, t1=1083, t2=78, t2_star=35, fat=0.1, grain=0.05,
           source=STANISZ),
    Tissue(label=12, name="fascia", water=0.3, t1=800, t2=8, t2_star=5, fat=0.12, grain=0.1,
           source=ASSUMED),
    # Of joints and carpal ligaments; less dense than tendon.
    Tissue(label=13, name="ligament", water=0.4, t1=800, t2=9, t2_star=6, grain=0.1,
           source=ASSUMED),
    Tissue(label=14, name="red marrow", water=0.42, t1=1000, t2=45, t2_star=12, fat=0.5,
           fat_t1=365, fat_t2=133, fat_t2_star=14, grain=0.08, t2_grain=0.06, source=GOLD),
)  # fmt: skip

(SKIN, FAT, MUSCLE, TENDON, CORTEX, MARROW, CARTILAGE, FLUID, ARTERY, VEIN, NERVE, FASCIA,
 LIGAMENT, RED_MARROW) = (tissue.label for tissue in HAND_TISSUES[1:])  # fmt: skip

BRAIN_TISSUES = (
    AIR,
    Tissue(label=1, name="cerebrospinal fluid", water=1.0, t1=4000, t2=2000, t2_star=300,
           grain=0.02, source=BOJORQUEZ),
    Tissue(label=2, name="grey matter", water=0.86, t1=1820, t2=99, t2_star=50, grain=0.03,
           t2_grain=0.03, source=STANISZ),
    Tissue(label=3, name="white matter", water=0.77, t1=1084, t2=69, t2_star=45, grain=0.03,
           t2_grain=0.03, source=STANISZ),
    Tissue(label=4, name="fat of the head", water=0.08, t1=900, t2=40, t2_star=18, fat=0.9,
           grain=0.05, t2_grain=0.03, source=GOLD),
    Tissue(label=5, name="muscle of the head", water=0.82, t1=1412, t2=50, t2_star=25, fat=0.02,
           grain=0.05, t2_grain=0.08, source=STANISZ),
    Tissue(label=6, name="skin of the head", water=0.55, t1=900, t2=30, t2_star=12, fat=0.03,
           grain=0.05, source=ASSUMED),
    Tissue(label=7, name="skull", water=0.2, t1=240, t2=0.5, t2_star=0.4, source=HORCH),
    Tissue(label=8, name="vessel", water=0.9, t1=1932, t2=275, t2_star=50, inflow=0.2, void=0.6,
           grain=0.1, source=STANISZ),
    Tissue(label=9, name="connective tissue", water=0.45, t1=900, t2=35, t2_star=15, fat=0.35,
           grain=0.08, source=ASSUMED),
    Tissue(label=10, name="dura", water=0.5, t1=1000, t2=25, t2_star=12, grain=0.05,
           source=ASSUMED),
    Tissue(label=11, name="marrow of the skull", water=0.3, t1=1000, t2=45, t2_star=12, fat=0.6,
           fat_t1=365, fat_t2_star=14, grain=0.1, t2_grain=0.05, source=GOLD),
)  # fmt: skip
"""Those of the digital brain of KomaMRI (Castillo-Passi et al. 2023, doi:10.1002/mrm.29635), whose
labels are 255/11 apart, in the order of BrainWeb (Aubert-Broche et al. 2006,
doi:10.1016/j.neuroimage.2006.03.052)."""
