//! The text of an invite's token on its way to whoever asked for the invite.

use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::names::InviteText;

impl<C> Encode<C> for InviteText {
    fn encode<W: minicbor::encode::Write>(
        &self,
        encoder: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        encoder.str(self.as_str())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for InviteText {
    fn decode(decoder: &mut Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        decoder.str()?.parse().map_err(minicbor::decode::Error::message)
    }
}
