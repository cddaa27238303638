using Atrium.Core;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;
using Atrium.Storage;
using Microsoft.Extensions.Primitives;

namespace Atrium.Server.Doors.OAuth;

/// <summary>Keeps what clients push, and gives it to the first browser that refers to it.</summary>
public sealed class PushedRequests(PushedRequestStore store, TimeProvider clock)
{
    /// <summary>What proves the client is no part of the request.</summary>
    private static readonly string[] Credentials = ["client_id", "client_secret", "client_assertion", "client_assertion_type"];

    /// <summary>
    /// The reference that a browser brings. Another <c>request_uri</c> is none of ours, and <c>request</c> beside it is neither (RFC 9101 section 5):
    /// the rules refuse both by name.
    /// </summary>
    public static string? ReferenceOf(IReadOnlyDictionary<string, StringValues> parameters) =>
        parameters.ValueOf("request_uri") is { } uri && uri.StartsWith(PushedRequest.UriPrefix, StringComparison.Ordinal) && !parameters.ContainsKey("request")
            ? uri
            : null;

    /// <summary>Keeps a request that holds to every rule: the reference to it, or null when the client is gone.</summary>
    public async Task<Secret?> PushAsync(Client client, SentRequest sent, CancellationToken cancellationToken)
    {
        DateTimeOffset now = clock.GetUtcNow();
        Secret uri = Secret.New(PushedRequest.UriPrefix);
        PushedRequest request = new()
        {
            RealmId = client.RealmId,
            UriHash = uri.Hash(),
            ClientId = client.Id,
            Parameters = sent.Parameters.Where(static pair => !Credentials.Contains(pair.Key))
                .ToDictionary(static pair => pair.Key, static pair => pair.Value.ToString(), StringComparer.Ordinal),
            PathOrganization = sent.PathOrganization,
            CreatedAt = now,
            ExpiresAt = now + PushedRequest.Lifetime,
        };
        return await store.CreateAsync(request, cancellationToken) ? uri : null;
    }

    /// <summary>The request referred to, which nobody gets again; null when it is unknown, expired, used, or another client's.</summary>
    public async Task<SentRequest?> TakeAsync(Client client, string reference, CancellationToken cancellationToken) =>
        await store.TakeAsync(client.RealmId, client.Id, new Secret(reference).Hash(), clock.GetUtcNow(), cancellationToken) is { } request
            ? new SentRequest(
                request.Parameters.ToDictionary(static pair => pair.Key, static pair => new StringValues(pair.Value), StringComparer.Ordinal),
                request.PathOrganization,
                WasPushed: true)
            : null;
}
