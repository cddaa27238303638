using Atrium.Core.Clients;
using Atrium.Core.Realms;
using Atrium.Core.Tokens;
using Atrium.Server.Hosting;
using Atrium.Server.Keys;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth.Dpop;

/// <summary>The thumbprint of the key that a request proves to hold, or why it proves none. Neither is there where the request does not try to.</summary>
public readonly record struct ProvedKey(string? Jkt, OAuthError? Error);

/// <summary>
/// Checks the proof of possession that a request brings (RFC 9449 section 4.3), and spends it once nothing else is wrong. Every answer to such a
/// request carries the nonce for the next one (section 8.2).
/// </summary>
public sealed class DpopCheck(PublicUrl publicUrl, ClientSignatures signatures, DpopNonces nonces, DpopProofStore proofs, TimeProvider clock)
{
    public const string ProofHeader = "DPoP";
    public const string NonceHeader = "DPoP-Nonce";

    /// <summary>What proofs may be signed with.</summary>
    public IReadOnlyList<string> Algorithms => signatures.Algorithms;

    /// <param name="client">Whose request it is; its settings say what its proofs must have.</param>
    /// <param name="token">The bound token that the request presents; null where it asks for one.</param>
    /// <param name="isRequired">Whether a request that brings no proof is refused.</param>
    public async Task<ProvedKey> CheckAsync(HttpContext context, Client client, BoundToken? token, bool isRequired, CancellationToken cancellationToken)
    {
        Realm realm = context.Realm();
        StringValues headers = context.Request.Headers[ProofHeader];
        if (headers.Count == 0 && !isRequired)
            return default;

        context.Response.Headers[NonceHeader] = nonces.Current(realm);
        if (headers is not [{ } header])
            return new(null, headers.Count == 0 ? DpopErrors.Missing : DpopErrors.Several);
        if (ProofReader.Read(header, signatures, out DpopProof? proof) is { } error)
            return new(null, error);

        ProvedRequest request = new()
        {
            Method = context.Request.Method,
            Url = publicUrl.Base + context.Request.Path.ToUriComponent(),
            Token = token,
            NeedsNonce = client.Settings.Openid.DpopNonceRequired,
            Nonces = proof!.Nonce is null ? [] : nonces.Good(realm),
        };
        if (DpopRules.Check(proof, request, clock.GetUtcNow()) is { } fault)
            return new(null, DpopErrors.Of(fault));
        return await proofs.SpendAsync(realm.Id, proof.Mark, DpopRules.EndOf(proof), cancellationToken)
            ? new(proof.Jkt, null)
            : new(null, DpopErrors.Replayed);
    }
}
