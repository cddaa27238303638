using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Atrium.Core.Clients;
using Atrium.Core.Tokens;

namespace Atrium.Tests.OAuth;

/// <summary>A key of a client, and the proofs that it makes, right or wrong in any way that a test wants.</summary>
internal sealed class DpopKey
{
    private readonly SigningParty party;
    private readonly string algorithm;

    private DpopKey(SigningParty party, string algorithm)
    {
        this.party = party;
        this.algorithm = algorithm;
    }

    public string Jkt => KeyThumbprint.Of(party.Key);

    public JsonObject Jwk => party.Jwk();

    public static DpopKey New(string algorithm = "ES256") => new(SigningParty.Of(algorithm, kid: null), algorithm);

    public static DpopKey Rsa(int bits) => new(SigningParty.Rsa(RSASignaturePadding.Pss, "PS256", kid: null, RSA.Create(bits)), "PS256");

    /// <summary>A proof of this moment, as it should be but for the changes.</summary>
    public string Proof(string method, string url, DateTimeOffset now, string? token = null, Action<JsonObject, JsonObject>? change = null)
    {
        JsonObject header = new() { ["typ"] = "dpop+jwt", ["alg"] = algorithm, ["jwk"] = Jwk };
        JsonObject claims = new() { ["jti"] = Guid.NewGuid().ToString(), ["htm"] = method, ["htu"] = url, ["iat"] = now.ToUnixTimeSeconds() };
        if (token is not null)
            claims["ath"] = new BoundToken(token, Jkt).Hash;
        change?.Invoke(header, claims);
        return party.Sign(header, claims);
    }

    /// <summary>Whatever it is, signed.</summary>
    public string Sign(string header, string claims) => party.SignTexts(header, claims);
}
