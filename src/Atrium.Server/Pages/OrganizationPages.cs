using Atrium.Core.Organizations;
using Atrium.Core.SignIns;

namespace Atrium.Server.Pages;

/// <summary>What the organization picker shows: what was chosen the last time first, then all at once where that is offered, then a page of the others.</summary>
internal static class OrganizationPages
{
    /// <summary>What the form posts for all of them at once. No organization's id looks like it.</summary>
    public const string All = "all";

    /// <summary>More than this are looked for by name.</summary>
    private const int MostShown = 50;

    /// <summary>As many fit in a glance.</summary>
    private const int MostAtAGlance = 8;

    public static OrganizationModel ModelOf(HostedPage page, SignInStep.ChooseOrganization step, PageForm form, string? startAgain, string? error)
    {
        string? find = page.Find?.Trim() is { Length: > 0 and <= OrganizationFinding.MaxLength } text ? text : null;
        MembershipInOrganization[] found = [.. step.Organizations.Where(entry => find is null || entry.Organization.Name.Contains(find, StringComparison.InvariantCultureIgnoreCase))];
        IEnumerable<OrganizationOption> options = found
            .OrderByDescending(entry => IsLast(entry, step))
            .Take(MostShown)
            .Select(entry => OptionOf(entry, step));
        if (step.OffersAll && find is null)
        {
            OrganizationOption all = new(All, "All my organizations", "One sign-in for all of them", IsAll: true, IsLast: step.Last == OrganizationChoice.AllMemberships);
            options = all.IsLast || !found.Any(entry => IsLast(entry, step)) ? options.Prepend(all) : InSecondPlace(options, all);
        }

        return new OrganizationModel(page.Realm.Name, page.Client.Name, form, step.User.Email, [.. options], error, startAgain)
        {
            OffersAll = step.OffersAll,
            Total = step.Organizations.Count,
            Find = step.Organizations.Count > MostAtAGlance ? FindingOf(page, find, found.Length, step.Organizations.Count) : null,
        };
    }

    private static bool IsLast(MembershipInOrganization entry, SignInStep.ChooseOrganization step) => step.Last.Selected == entry.Organization.Id;

    private static IEnumerable<OrganizationOption> InSecondPlace(IEnumerable<OrganizationOption> options, OrganizationOption all)
    {
        foreach ((int i, OrganizationOption option) in options.Index())
        {
            if (i == 1)
                yield return all;
            yield return option;
        }
    }

    private static OrganizationFinding FindingOf(HostedPage page, string? find, int found, int total)
    {
        string text = found switch
        {
            _ when find is null => total > MostShown ? $"The first {MostShown} of {total} are shown." : $"All {total} are shown.",
            0 => $"None of {total} has “{find}” in its name.",
            > MostShown => $"{found} of {total} have “{find}” in their name; the first {MostShown} are shown.",
            1 => $"One of {total} has “{find}” in its name.",
            _ => $"{found} of {total} have “{find}” in their name.",
        };
        return new(
            new PageForm(HostedPages.PathOf(page.Realm), [new("handle", page.Handle)]),
            find,
            text,
            find is null ? null : HostedPages.AddressOf(page.Realm, page.Handle));
    }

    private static OrganizationOption OptionOf(MembershipInOrganization entry, SignInStep.ChooseOrganization step) => new(
        entry.Organization.Id.ToString(),
        entry.Organization.Name,
        entry.Membership.Title ?? (entry.Membership.Scopes.Count == 0 ? null : string.Join(", ", entry.Membership.Scopes)),
        IsLast: IsLast(entry, step));
}
