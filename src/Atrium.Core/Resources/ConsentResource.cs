using System.ComponentModel;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;

namespace Atrium.Core.Resources;

/// <summary>What a person has let an application have.</summary>
public sealed record ConsentResource
{
    [Description("`con_` and 25 digits.")]
    public required string Id { get; init; }

    public required string UserId { get; init; }

    [Description("The `client_id` of the application.")]
    public required string ClientId { get; init; }

    [Description("What people see of the application.")]
    public required string ClientName { get; init; }

    public required IReadOnlyList<string> Scopes { get; init; }

    [Description("The organizations that its tokens may speak of: `all` of the person's, one (`chosen`), or `none`.")]
    public required string Organizations { get; init; }

    [Description("The organization chosen; null unless `organizations` is `chosen`.")]
    public required string? OrganizationId { get; init; }

    [Description("The audience of the access tokens (RFC 8707); null where the client named none.")]
    public required string? Resource { get; init; }

    [Description("When the person last said so. Unix milliseconds.")]
    public required long GrantedAt { get; init; }

    public static ConsentResource Of(Consent consent, Client client) => new()
    {
        Id = consent.Id.ToString(),
        UserId = consent.UserId.ToString(),
        ClientId = client.ClientId,
        ClientName = client.Name,
        Scopes = consent.Terms.Scopes,
        Organizations = consent.Terms.Choice.Word,
        OrganizationId = consent.Terms.Choice.Selected?.ToString(),
        Resource = consent.Terms.Resource,
        GrantedAt = consent.GrantedAt.ToUnixTimeMilliseconds(),
    };
}
