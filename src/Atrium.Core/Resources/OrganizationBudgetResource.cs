using System.ComponentModel;

namespace Atrium.Core.Resources;

/// <summary>That tokens of a client carry no organizations on a day, because somebody's are more than its budget: the first token tells it.</summary>
public sealed record OrganizationBudgetResource
{
    [Description("`c_` and 25 digits: the client.")]
    public required string Id { get; init; }

    [Description("The client's `client_id`.")]
    public required string ClientId { get; init; }

    [Description("The day in UTC, as in `2026-11-21`.")]
    public required string Day { get; init; }

    [Description("The client's `settings.tokens.organization_budget_bytes`.")]
    public required int Budget { get; init; }

    [Description("How many bytes the array would have taken up.")]
    public required long Bytes { get; init; }

    [Description("How many organizations it holds.")]
    public required int Count { get; init; }
}
