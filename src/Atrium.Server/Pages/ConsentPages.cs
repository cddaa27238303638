using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text.Json;
using Atrium.Core.Clients;
using Atrium.Core.SignIns;

namespace Atrium.Server.Pages;

/// <summary>What an application gets, in a person's words; and what the page that asks for it shows.</summary>
internal static class ConsentPages
{
    /// <summary>The scopes that everybody knows (OpenID Connect Core sections 5.4 and 11), in the order in which a person is told.</summary>
    private static readonly (string Scope, string Text)[] Known =
    [
        ("openid", "Know who you are when you come back"),
        ("profile", "See your name and your profile"),
        ("email", "See your e-mail address"),
        ("phone", "See your phone number"),
        ("address", "See your postal address"),
        ("offline_access", "Keep this while you are away"),
    ];

    /// <summary>What the form carries back, so that nothing else is allowed than what was shown.</summary>
    public const string AskedField = "asked";

    public static ConsentModel ModelOf(HostedPage page, SignInStep.Consent step, PageForm form, string? startAgain) => new(
        page.Realm.Name,
        page.Client.Name,
        DestinationOf(page.SignIn.Request.RedirectUri!),
        form with { Hidden = [.. form.Hidden, new(AskedField, DigestOf(step))] },
        step.User.Email,
        ItemsOf(step.Asked, step.Organization?.Name, page.Client, step.News),
        page.Client.Settings.FirstParty,
        step.News is not null,
        HostedApplications.PathOf(page.Realm),
        startAgain);

    /// <summary>What a page shows, as one word: whose it is, for whom, and everything that is asked for.</summary>
    public static string DigestOf(SignInStep.Consent step) => Base64Url.EncodeToString(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes<string?[]>(
        [step.User.Id.ToString(), step.Asked.Choice.Word, step.Asked.Choice.Selected?.ToString(), step.Asked.Resource, .. step.Asked.Scopes])));

    /// <param name="organization">The name of the one organization that it is for, if the person is in it.</param>
    /// <param name="news">What of it is new; null where that is not to be told.</param>
    public static IReadOnlyList<ConsentItem> ItemsOf(ConsentTerms terms, string? organization, Client client, ConsentNews? news)
    {
        List<ConsentItem> items = [.. Known.Where(one => terms.Scopes.Contains(one.Scope, StringComparer.Ordinal)).Select(one => new ConsentItem(one.Text, IsNew: IsNew(one.Scope)))];
        string[] others = [.. terms.Scopes.Where(static scope => !Known.Any(one => one.Scope == scope))];
        items.AddRange(others.GroupBy(IsNew).OrderBy(static of => of.Key).Select(static of =>
            new ConsentItem(of.Count() == 1 ? "Use the permission" : "Use the permissions", string.Join(' ', of), of.Key)));
        if (OrganizationsOf(terms.Choice, organization, client) is { } organizations)
            items.Add(new(organizations, IsNew: news?.Organizations == true));
        if (terms.Resource is { } resource)
            items.Add(new("Act for you at", resource, news?.Resource == true));
        return items.Count == 0 ? [new("Know that you signed in")] : items;

        bool IsNew(string scope) => news?.Scopes.Contains(scope, StringComparer.Ordinal) == true;
    }

    /// <summary>Where a sign-in leads back to, as a person can judge it: the host, in the letters that the network uses (no look-alikes).</summary>
    public static string DestinationOf(string redirectUri) => !Uri.TryCreate(redirectUri, UriKind.Absolute, out Uri? uri) ? "an unknown address"
        : uri.Scheme is not ("http" or "https") ? $"an app on this device ({uri.Scheme})"
        : uri.IsLoopback ? "a program on this device"
        : uri.IsDefaultPort ? uri.IdnHost : $"{uri.IdnHost}:{uri.Port}";

    private static string? OrganizationsOf(OrganizationChoice choice, string? name, Client client) => choice switch
    {
        OrganizationChoice.Chosen when name is not null => $"See that you belong to {name}, and your roles there",
        OrganizationChoice.Chosen => "See whether you belong to the organization that it named, and your roles there",
        _ when choice != OrganizationChoice.AllMemberships => null,
        _ when client.Settings.Restrictions.Organizations.Policy == OrganizationPolicy.Allowlist => "See those of your organizations that it works with, and your roles there",
        _ => "See all of your organizations, those that you join later too, and your roles there",
    };
}
