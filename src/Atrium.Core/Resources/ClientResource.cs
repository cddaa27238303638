using System.ComponentModel;
using System.Diagnostics.CodeAnalysis;
using Atrium.Core.Clients;
using Atrium.Core.Organizations;

namespace Atrium.Core.Resources;

/// <summary>An application. Its secret is shown once, beside it, when it is made.</summary>
public record ClientResource
{
    [Description("`c_` and 25 digits.")]
    public required string Id { get; init; }

    [Description("The `client_id` of the wire; equal to the id unless a name was chosen. Unique in the server.")]
    public required string ClientId { get; init; }

    [Description("What people see when they sign in.")]
    public required string Name { get; init; }

    [Description("`spa` and `native` are public, `web` and `m2m` keep a secret. It never changes.")]
    public required ClientType Type { get; init; }

    [Description("Where the answer of a sign-in may go, matched exactly.")]
    public required IReadOnlyList<string> RedirectUris { get; init; }

    [Description("Where a sign-out may lead.")]
    public required IReadOnlyList<string> PostLogoutRedirectUris { get; init; }

    public required IReadOnlyList<string> GrantTypes { get; init; }

    [Description("The signature of its tokens; null leaves it to the door.")]
    public required string? ResponseSignatureAlg { get; init; }

    [Description("Whatever a disabled client asks for is refused, the renewal of its tokens too.")]
    public required ClientStatus Status { get; init; }

    [Description("Whether every organization of the realm may sign in here by the app-native door, or only those it is shared with.")]
    public required ClientSharing SharedWith { get; init; }

    [Description("Until when the secret before the last rotation is taken beside the one of now; null where there is none. Unix milliseconds.")]
    public required long? PreviousSecretExpiresAt { get; init; }

    public required ClientSettings Settings { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static ClientResource Of(Client client) => new()
    {
        Id = client.Id.ToString(),
        ClientId = client.ClientId,
        Name = client.Name,
        Type = client.Type,
        RedirectUris = client.RedirectUris,
        PostLogoutRedirectUris = client.PostLogoutRedirectUris,
        GrantTypes = client.GrantTypes,
        ResponseSignatureAlg = client.SignatureAlgorithm,
        Status = client.Status,
        SharedWith = client.SharedWithAll ? ClientSharing.All : ClientSharing.Selected,
        PreviousSecretExpiresAt = client.PreviousSecretEndsAt?.ToUnixTimeMilliseconds(),
        Settings = client.Settings,
        CreatedAt = client.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = client.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

/// <summary>A client with a secret that was just made, which is shown this once; a client that needs none has none.</summary>
public sealed record ClientWithSecretResource : ClientResource
{
    public ClientWithSecretResource()
    {
    }

    [SetsRequiredMembers]
    private ClientWithSecretResource(ClientResource shown, string? secret)
        : base(shown) => ClientSecret = secret;

    [Description("What the client proves itself by; null of a public client, and of one that signs with its own key. It can't be shown again.")]
    public required string? ClientSecret { get; init; }

    public static ClientWithSecretResource Of(Client client, Secret? secret) => new(Of(client), secret?.Reveal());
}

/// <summary>That a client is shared with an organization.</summary>
public sealed record ClientOrganizationResource
{
    [Description("The `client_id` of the client.")]
    public required string ClientId { get; init; }

    public required string OrganizationId { get; init; }

    public static ClientOrganizationResource Of(Client client, Id<Organization> organization) => new()
    {
        ClientId = client.ClientId,
        OrganizationId = organization.ToString(),
    };
}

public enum ClientSharing
{
    /// <summary>With every organization of the realm.</summary>
    All,

    /// <summary>With those that it was shared with one by one.</summary>
    Selected,
}
