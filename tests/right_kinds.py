"""The right kind of every column of the shipped tables, decided by reading the tables and their descriptions.

0/1 flags and yes/no are boolean, ISO dates are dates, amounts and counts and years are numeric, labels are categorical.
A grade is ordinal where everybody knows its order from the words (poor … excellent, the cuts of diamonds). Where only
the trade knows it (SI2, Gtl, a letter, a level "No_Basement" aside), the cells do not tell: labels lose nothing, and
either reading is right.
"""

from __future__ import annotations

EITHER = ("categorical", "ordinal")


def _kinds(**columns: str) -> dict[str, tuple[str, ...]]:
    """The kinds of each column, from names by kind; `either` means labels or grades."""
    allowed = {kind: EITHER if kind == "either" else (kind,) for kind in columns}
    return {name: allowed[kind] for kind, names in columns.items() for name in names.split()}


TARGETS = {
    "adult": ("income", "binary"),
    "california": ("MedHouseVal", "regression"),
    "diamonds": ("price", "regression"),
    "telco": ("churn", "binary"),
    "hotel": ("avg_price_per_room", "regression"),
    "ames": ("Sale_Price", "regression"),
}
FILES = {
    "adult": ("data/adult/train.csv.gz", "data/adult/test.csv.gz"),
    **{name: (f"data/{name}.csv.gz",) for name in TARGETS if name != "adult"},
}
RIGHT_KINDS: dict[str, dict[str, tuple[str, ...]]] = {
    "adult": _kinds(
        numeric="age fnlwgt educational-num capital-gain capital-loss hours-per-week",
        categorical="workclass marital-status occupation relationship race gender native-country",
        either="education",
    ),
    "california": _kinds(numeric="MedInc HouseAge AveRooms AveBedrms Population AveOccup Latitude Longitude"),
    "diamonds": _kinds(numeric="carat depth table x y z", ordinal="cut", either="color clarity"),
    "telco": _kinds(
        boolean="female senior_citizen partner dependents phone_service paperless_billing",
        numeric="tenure monthly_charges total_charges",
        categorical="multiple_lines internet_service online_security online_backup device_protection tech_support "
        "streaming_tv streaming_movies payment_method",
        either="contract",
    ),
    "hotel": _kinds(
        date="arrival_date",
        boolean="is_repeated_guest near_christmas near_new_years",
        numeric="lead_time stays_in_weekend_nights stays_in_week_nights adults children babies previous_cancellations "
        "previous_bookings_not_canceled booking_changes days_in_waiting_list required_car_parking_spaces "
        "total_of_special_requests arrival_date_num historical_adr",
        categorical="meal country market_segment distribution_channel reserved_room_type assigned_room_type agent "
        "company customer_type",
    ),
    "ames": _kinds(
        boolean="Central_Air",
        ordinal="Overall_Cond Exter_Cond Heating_QC",
        numeric="Lot_Frontage Lot_Area Year_Built Year_Remod_Add Mas_Vnr_Area BsmtFin_SF_1 BsmtFin_SF_2 Bsmt_Unf_SF "
        "Total_Bsmt_SF First_Flr_SF Second_Flr_SF Gr_Liv_Area Bsmt_Full_Bath Bsmt_Half_Bath Full_Bath Half_Bath "
        "Bedroom_AbvGr Kitchen_AbvGr TotRms_AbvGrd Fireplaces Garage_Cars Garage_Area Wood_Deck_SF Open_Porch_SF "
        "Enclosed_Porch Three_season_porch Screen_Porch Pool_Area Misc_Val Mo_Sold Year_Sold Longitude Latitude",
        categorical="MS_SubClass MS_Zoning Street Alley Land_Contour Lot_Config Neighborhood Condition_1 Condition_2 "
        "Bldg_Type House_Style Roof_Style Roof_Matl Exterior_1st Exterior_2nd Mas_Vnr_Type Foundation Heating "
        "Electrical Garage_Type Misc_Feature Sale_Type Sale_Condition",
        either="Lot_Shape Utilities Land_Slope Bsmt_Cond Bsmt_Exposure BsmtFin_Type_1 BsmtFin_Type_2 Functional "
        "Garage_Finish Garage_Cond Paved_Drive Pool_QC Fence",
    ),
}
