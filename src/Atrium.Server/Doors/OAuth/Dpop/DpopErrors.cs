using Atrium.Core.Tokens;

namespace Atrium.Server.Doors.OAuth.Dpop;

/// <summary>Words what is wrong with a proof of possession (RFC 9449 sections 5, 7.1 and 8).</summary>
internal static class DpopErrors
{
    private const string ProofCode = "invalid_dpop_proof";
    private const string NonceCode = "use_dpop_nonce";

    public static readonly OAuthError Several = new("ATR1140", ProofCode, "Send one DPoP header with one proof.");
    public static readonly OAuthError NoProof = new("ATR1141", ProofCode, "The DPoP header is not a JWT of the type dpop+jwt.");
    public static readonly OAuthError BadKey = new("ATR1142", ProofCode, "The proof must be signed by an algorithm that the metadata lists, with the public key in its jwk.");
    public static readonly OAuthError BadSignature = new("ATR1143", ProofCode, "The proof is not signed by the key in its jwk.");
    public static readonly OAuthError BadClaims = new("ATR1144", ProofCode, "The proof needs jti (at most 256 characters), htm, htu and iat.");
    public static readonly OAuthError Missing = new("ATR1150", ProofCode, "The DPoP header is missing.");
    public static readonly OAuthError Replayed = new("ATR1151", ProofCode, "The proof was used before; make one for each request.");

    private static readonly OAuthError OtherRequest = new("ATR1145", ProofCode, "htm and htu of the proof are not the method and the address of this request.");
    private static readonly OAuthError OutOfTime = new("ATR1146", ProofCode, "The proof is older than 60 seconds, from the future, or outside its own nbf and exp.");
    private static readonly OAuthError OtherToken = new("ATR1147", ProofCode, "ath of the proof is not the hash of this access token.");
    private static readonly OAuthError OtherKey = new("ATR1148", ProofCode, "The access token is bound to another key than the proof's.");
    private static readonly OAuthError Nonce = new("ATR1149", NonceCode, "Make the proof with the nonce in the DPoP-Nonce header.");

    public static OAuthError Of(DpopFault fault) => fault switch
    {
        DpopFault.OtherRequest => OtherRequest,
        DpopFault.OutOfTime => OutOfTime,
        DpopFault.OtherToken => OtherToken,
        DpopFault.OtherKey => OtherKey,
        _ => Nonce,
    };
}
