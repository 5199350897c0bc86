/* true: does nothing, successfully. The minimal program of benchmarks. */
int main(void)
{
    return 0;
}
