using System.ComponentModel;
using Atrium.Core.Organizations;

namespace Atrium.Core.Resources;

/// <summary>A letter that asks somebody to join an organization. Its secret is in the letter and nowhere else.</summary>
public sealed record InvitationResource
{
    [Description("`inv_` and 25 digits.")]
    public required string Id { get; init; }

    public required string OrganizationId { get; init; }

    [Description("Lower case. Only the person of this address can accept.")]
    public required string EmailInvited { get; init; }

    [Description("What the membership will have.")]
    public required IReadOnlyList<string> Scopes { get; init; }

    [Description("What the membership will have.")]
    public required string? UserTitle { get; init; }

    [Description("A few words to the person.")]
    public required string? Message { get; init; }

    [Description("Who invites; null where nobody is named.")]
    public required InviterResource? Inviter { get; init; }

    [Description("An expired one can be sent again.")]
    public required InvitationState State { get; init; }

    [Description("How long it stands from when it is made or sent again.")]
    public required long ExpiresInSeconds { get; init; }

    [Description("Unix milliseconds.")]
    public required long ExpiresAt { get; init; }

    [Description("Unix milliseconds; null until then.")]
    public required long? AcceptedAt { get; init; }

    [Description("Who accepted it; null until then.")]
    public required string? UserId { get; init; }

    [Description("Unix milliseconds; null until then.")]
    public required long? RevokedAt { get; init; }

    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    public static InvitationResource Of(Invitation invitation, DateTimeOffset now) => new()
    {
        Id = invitation.Id.ToString(),
        OrganizationId = invitation.OrganizationId.ToString(),
        EmailInvited = invitation.Email,
        Scopes = invitation.Scopes,
        UserTitle = invitation.Title,
        Message = invitation.Message,
        Inviter = invitation.InviterName is { } name ? new InviterResource(name) : null,
        State = invitation.StateAt(now),
        ExpiresInSeconds = invitation.LifetimeSeconds,
        ExpiresAt = invitation.ExpiresAt.ToUnixTimeMilliseconds(),
        AcceptedAt = invitation.AcceptedAt?.ToUnixTimeMilliseconds(),
        UserId = invitation.AcceptedBy?.ToString(),
        RevokedAt = invitation.RevokedAt?.ToUnixTimeMilliseconds(),
        Metadata = invitation.Metadata,
        CreatedAt = invitation.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = invitation.UpdatedAt.ToUnixTimeMilliseconds(),
    };
}

public sealed record InviterResource(string Name);
