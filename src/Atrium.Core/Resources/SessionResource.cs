using System.ComponentModel;
using Atrium.Core.SignIns;

namespace Atrium.Core.Resources;

/// <summary>A person's standing sign-in at the realm; one for all organizations.</summary>
public sealed record SessionResource
{
    [Description("`s_` and 25 digits: the `sid` of every token.")]
    public required string Id { get; init; }

    public required string UserId { get; init; }

    [Description("How the person proved who they are, in the order of the proofs.")]
    public required IReadOnlyList<AuthenticationMethod> Methods { get; init; }

    [Description("When the person did; the `auth_time` of tokens. Unix milliseconds.")]
    public required long AuthenticatedAt { get; init; }

    public required string? IpAddress { get; init; }

    public required string? UserAgent { get; init; }

    [Description("Unix milliseconds.")]
    public required long CreatedAt { get; init; }

    [Description("Unix milliseconds.")]
    public required long UpdatedAt { get; init; }

    [Description("When it was begun, signed in with once more, or refreshed from. Unix milliseconds.")]
    public required long LastUsedAt { get; init; }

    [Description("Seconds without a use after which it is over.")]
    public required int IdleTimeout { get; init; }

    [Description("The absolute end; no refresh reaches beyond it. Unix milliseconds.")]
    public required long ExpiresAt { get; init; }

    [Description("When it was ended before its time; null otherwise. Unix milliseconds.")]
    public required long? EndedAt { get; init; }

    [Description("Why it was.")]
    public required SessionEnd? EndReason { get; init; }

    public static SessionResource Of(Session session) => new()
    {
        Id = session.Id.ToString(),
        UserId = session.UserId.ToString(),
        Methods = [.. session.Proofs.Select(static proof => proof.Method)],
        AuthenticatedAt = session.AuthenticatedAt.ToUnixTimeMilliseconds(),
        IpAddress = session.IpAddress,
        UserAgent = session.UserAgent,
        CreatedAt = session.CreatedAt.ToUnixTimeMilliseconds(),
        UpdatedAt = session.UpdatedAt.ToUnixTimeMilliseconds(),
        LastUsedAt = session.LastUsedAt.ToUnixTimeMilliseconds(),
        IdleTimeout = session.IdleTimeout,
        ExpiresAt = session.ExpiresAt.ToUnixTimeMilliseconds(),
        EndedAt = session.EndedAt?.ToUnixTimeMilliseconds(),
        EndReason = session.EndReason,
    };
}
