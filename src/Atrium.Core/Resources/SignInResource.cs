using System.ComponentModel;
using Atrium.Core.SignIns;

namespace Atrium.Core.Resources;

/// <summary>A sign-in as an event tells of it. What somebody typed is in none: it may have been a password.</summary>
public sealed record SignInResource
{
    [Description("`sin_` and 25 digits.")]
    public required string Id { get; init; }

    [Description("The wire format that it came through.")]
    public required Door Door { get; init; }

    [Description("The `client_id` of the application that asked for it.")]
    public required string? ClientId { get; init; }

    [Description("The person; null as long as nobody is known.")]
    public required string? UserId { get; init; }

    [Description("What the person has shown.")]
    public required IReadOnlyList<AuthenticationMethod> Methods { get; init; }

    [Description("Which organizations it is for: `all`, `none`, `chosen`, or `unchosen` as long as nobody has said.")]
    public required string Choice { get; init; }

    [Description("The organization chosen.")]
    public required string? OrganizationId { get; init; }

    [Description("The session that it made or built on; null when it failed.")]
    public required string? SessionId { get; init; }

    [Description("Why it failed; null when it did not.")]
    public required SignInFailure? Reason { get; init; }
}
