using Atrium.Core;
using Atrium.Core.Organizations;
using Atrium.Core.Realms;
using Atrium.Core.Resources;
using Atrium.Server.Dns;
using Atrium.Server.Doors.Management.Bodies;
using Atrium.Server.Http;
using Atrium.Storage;

namespace Atrium.Server.Doors.Management.Organizations;

/// <summary><c>/organizations/{id}/domains</c>: the domains that an organization says are its own, and the check that they are.</summary>
public static class DomainsEndpoints
{
    private static readonly Field<string> Domain = Field.Text("domain", 253)
        .Check(static text => DomainName.Normalize(text) is { Length: <= OrganizationDomain.MaxLength } ? null : "A domain is a name such as example.com.")
        .Describe("Such as `example.com`. Any organization may claim it; whoever publishes the record has it.")
        .Required();

    private static readonly Shape New = new(Domain);

    public static void MapDomains(this RouteGroupBuilder realm)
    {
        RouteGroupBuilder domains = realm.MapGroup($"{OrganizationsEndpoints.Path}/{{id}}/domains").WithTags("Domains");
        domains.MapGet("", ListAsync).Needs(ApiScopes.DomainsRead).TakesPage<OrganizationDomain>()
            .WithSummary("Lists an organization's domains, newest first.").AnswersMany<OrganizationDomainResource>();
        domains.MapPost("", CreateAsync).Needs(ApiScopes.DomainsWrite).Reads(New)
            .WithSummary("Claims a domain; the answer has the record to publish.").AnswersOne<OrganizationDomainResource>(StatusCodes.Status201Created);
        domains.MapGet("/{domain}", GetAsync).Needs(ApiScopes.DomainsRead).WithSummary("Shows a domain.").AnswersOne<OrganizationDomainResource>();
        domains.MapDelete("/{domain}", DeleteAsync).Needs(ApiScopes.DomainsWrite).WithSummary("Gives up a domain.").AnswersNothing();
        domains.MapPost("/{domain}/verify", VerifyAsync).Needs(ApiScopes.DomainsWrite).Reads(Shape.Empty)
            .WithSummary("Looks for the record in the DNS, now.").AnswersOne<OrganizationDomainResource>();
    }

    private static async Task<IResult> ListAsync(HttpContext context, OrganizationDomainStore domains, CancellationToken cancellationToken)
    {
        return await context.FindOrganizationAsync(cancellationToken) is { } organization
            ? Many.Of(
                await domains.ListAsync(organization.RealmId, organization.Id, context.Page<OrganizationDomain>(), cancellationToken),
                OrganizationDomainResource.Of,
                ResourceJson.Default.OrganizationDomainResource,
                static domain => domain.Id.ToString())
            : ManagementError.NotFound;
    }

    private static async Task<IResult> CreateAsync(
        HttpContext context, OrganizationDomainStore domains, TimeProvider clock, CancellationToken cancellationToken)
    {
        Body body = context.Body();
        if (context.OrganizationInPath() is not { } organization)
            return ManagementError.NotFound;
        DateTimeOffset now = clock.GetUtcNow();
        OrganizationDomain domain = new()
        {
            RealmId = context.Caller().Realm,
            Id = Id<OrganizationDomain>.New(clock),
            OrganizationId = organization,
            Domain = DomainName.Normalize(body.Of(Domain)!)!,
            State = DomainState.Pending,
            CreatedAt = now,
            UpdatedAt = now,
        };
        return Answer(await domains.CreateAsync(domain, context.Origin<DomainWrite>(Answer), cancellationToken));

        IResult Answer(DomainWrite outcome) => outcome == DomainWrite.Done ? Shown(domain, StatusCodes.Status201Created) : Refusal(outcome);
    }

    private static async Task<IResult> GetAsync(HttpContext context, string domain, OrganizationDomainStore domains, CancellationToken cancellationToken) =>
        await FindAsync(context, domain, domains, cancellationToken) is { } found ? Shown(found) : ManagementError.NotFound;

    private static async Task<IResult> VerifyAsync(
        HttpContext context, string domain, OrganizationDomainStore domains, IDomainRecords records, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await FindAsync(context, domain, domains, cancellationToken) is not { } found)
            return ManagementError.NotFound;
        if (found.Verified)
            return Shown(found);
        if (await records.TextsAsync(found.RecordName, cancellationToken) is not { } texts)
            return ManagementError.Unavailable(Unavailable.Dns);
        return Answer(await domains.CheckedAsync(found, texts, clock.GetUtcNow(), context.Origin<CheckedDomain>(Answer), cancellationToken));

        static IResult Answer(CheckedDomain result) => result.Outcome == DomainWrite.Done ? Shown(result.Domain!) : Refusal(result.Outcome);
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string domain, OrganizationDomainStore domains, CancellationToken cancellationToken)
    {
        if (context.OrganizationInPath() is not { } organization || Id<OrganizationDomain>.Parse(domain) is not { } id)
            return ManagementError.NotFound;
        Deletion deletion = new(context);
        bool deleted = await domains.DeleteAsync(
            context.Caller().Realm,
            organization,
            id,
            claim => deletion.Allows(OrganizationDomainResource.Of(claim), ResourceJson.Default.OrganizationDomainResource),
            context.Origin(),
            cancellationToken);
        return deletion.Answer(deleted);
    }

    private static async Task<OrganizationDomain?> FindAsync(
        HttpContext context, string domain, OrganizationDomainStore domains, CancellationToken cancellationToken) =>
        context.OrganizationInPath() is { } organization && Id<OrganizationDomain>.Parse(domain) is { } id
            ? await domains.FindAsync(context.Caller().Realm, organization, id, cancellationToken)
            : null;

    private static ManagementError Refusal(DomainWrite outcome) => outcome switch
    {
        DomainWrite.Claimed => ManagementError.Conflict("The organization claims this domain already."),
        DomainWrite.Taken => ManagementError.Conflict("Another organization of the realm has this domain verified."),
        DomainWrite.TooMany => ManagementError.Conflict($"An organization claims at most {OrganizationRules.MaxDomains} domains."),
        _ => ManagementError.NotFound,
    };

    private static One<OrganizationDomainResource> Shown(OrganizationDomain domain, int status = StatusCodes.Status200OK) =>
        new(OrganizationDomainResource.Of(domain), ResourceJson.Default.OrganizationDomainResource, status);
}
