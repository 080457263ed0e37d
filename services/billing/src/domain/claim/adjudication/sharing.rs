//! A member's part of a service, in the order in which it is taken.

use crate::domain::money::{Amount, Rate};

/// What may still be taken from the member.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// Of the copay.
    pub(super) copay: Amount,
    /// Of the deductible.
    pub(super) deductible: Amount,
    /// In all; none where there is no limit.
    pub(super) out_of_pocket: Option<Amount>,
}

/// A member's part.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Shares {
    pub(super) copay: Amount,
    pub(super) deductible: Amount,
    pub(super) coinsurance: Amount,
}

impl Shares {
    /// The part of an amount: copay, of the rest the deductible, of the rest a percentage, and no more than there is
    /// room for.
    pub(super) fn of(amount: Amount, rate: Rate, room: &Room) -> Self {
        let copay = room.copay.min(amount);
        let deductible = room.deductible.min(amount - copay);
        let coinsurance = rate.of(amount - copay - deductible);
        let shares = Self { copay, deductible, coinsurance };
        room.out_of_pocket.map_or(shares, |most| shares.up_to(most))
    }

    /// All of it.
    pub(super) fn total(self) -> Amount {
        self.copay + self.deductible + self.coinsurance
    }

    /// It with no more than so much in all: the percentage is cut first, then the deductible, the copay last.
    pub(super) fn up_to(self, most: Amount) -> Self {
        let copay = self.copay.min(most);
        let deductible = self.deductible.min(most - copay);
        let coinsurance = self.coinsurance.min(most - copay - deductible);
        Self { copay, deductible, coinsurance }
    }
}
