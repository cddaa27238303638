using System.ComponentModel;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;

namespace Atrium.Core.Resources;

/// <summary>How a sign-in ends.</summary>
public enum ExplainedOutcome
{
    /// <summary>The person gets in, and the tokens say what <c>claims</c> says.</summary>
    SignsIn,

    /// <summary>The person is asked which organization it is for.</summary>
    MustChoose,

    /// <summary>Only the organization's identity provider could let the person in.</summary>
    NeedsConnection,
    Refused,
}

/// <summary>The step of a sign-in.</summary>
public enum ExplainedStepKind
{
    Prove,
    VerifyEmail,
    EnrolFactor,
    ProveFactor,
    ChooseOrganization,
    UseConnection,
    Consent,
    Complete,
    Refuse,
}

/// <summary>Why somebody can or can't sign in, decided by the engine that decides of real sign-ins, and what a token would say.</summary>
public sealed record ExplanationResource
{
    [Description("How it ends.")]
    public required ExplainedOutcome Outcome { get; init; }

    [Description("The same in a sentence, with what to do.")]
    public required string Summary { get; init; }

    [Description("The wire format that the client would come through.")]
    public required Door Door { get; init; }

    [Description("How organizations are projected into the client's tokens.")]
    public required TokenProfile Profile { get; init; }

    [Description("What the person would be asked, in this order, and where it ends.")]
    public required IReadOnlyList<ExplainedStep> Steps { get; init; }

    [Description("What keeps the person out of the organization asked about; empty when nothing does.")]
    public required IReadOnlyList<ExplainedObstacle> Obstacles { get; init; }

    [Description("Every organization that the person belongs to in any way: whether the token speaks of it, and if not, why.")]
    public required IReadOnlyList<ExplainedOrganization> Organizations { get; init; }

    [Description("The claims of the access token, but for those that differ each time (`jti`, `sid`); null when there is no token.")]
    public required JsonElement? Claims { get; init; }
}

/// <summary>One step, as the engine takes it.</summary>
public sealed record ExplainedStep
{
    public required ExplainedStepKind Step { get; init; }

    [Description("The same in words.")]
    public required string Message { get; init; }
}

/// <summary>Something in the way.</summary>
public sealed record ExplainedObstacle
{
    public required OrganizationObstacle Code { get; init; }

    [Description("What it is, and what would remove it.")]
    public required string Message { get; init; }
}

/// <summary>An organization as seen from one token.</summary>
public sealed record ExplainedOrganization
{
    public required string Id { get; init; }

    public required string Name { get; init; }

    [Description("Whether the token speaks of it: itself or, where the organizations are more than the client's budget, by naming userinfo for all of them.")]
    public required bool InToken { get; init; }

    [Description("Why not; empty when it does, or when another organization was chosen.")]
    public required IReadOnlyList<ExplainedObstacle> Obstacles { get; init; }
}
